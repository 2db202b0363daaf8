//! The centre's service catalogue: what it does in each area.

use domain::Area;

/// The services of the catalogue in an area.
pub const fn services(area: Area) -> &'static [&'static str] {
    match area {
        Area::Lon => &[
            "Löneadministration",
            "Rese- och utläggsadministration",
            "Tidredovisning",
            "Beslutsskrivning",
            "Tjänstepensionsadministration",
        ],
        Area::Ekonomi => &["Redovisning och bokslut", "Kundfakturering", "Anläggningsredovisning"],
        Area::EHandel => &["E-beställning och leverantörsanslutning", "Leverantörsfakturahantering"],
        Area::ItTjanstestod => &["Inloggning och behörighet", "Systemfel", "Driftstatus"],
    }
}
