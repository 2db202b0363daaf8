//! From the claims of a verified token to who somebody is here: the mapping of the settings, and nothing else. A provider
//! can speak only for the employers whose login it is.

use domain::access::Role;
use domain::text::Email;
use domain::{Area, OrganisationNumber};
use infrastructure::tokens::Identity;
use serde_json::Value;

use crate::config::IdentityProvider;

/// Longest subject, bytes; the standard allows 255.
const SUBJECT_BYTES: usize = 255;

/// Why a good token lets nobody in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not say who it is.
    #[error("the claim that is to say who it is, is missing or no text of at most 255 characters")]
    NoSubject,
    /// It names no employer that the provider may speak for.
    #[error("the claims name no employer")]
    NoEmployer,
    /// Those that it names are not the provider's to speak for.
    #[error("the claims name no employer whose login this provider is")]
    OtherEmployer(Vec<OrganisationNumber>),
}

/// Who the claims say it is, in each role: that of the first rule that holds first. `speaks_for` tells for which employers
/// the provider may speak.
///
/// # Errors
/// [`Refused`].
pub fn identity(
    settings: &IdentityProvider,
    claims: &Value,
    speaks_for: impl Fn(OrganisationNumber) -> bool,
) -> Result<Vec<Identity>, Refused> {
    let names = &settings.claims;
    let text = |name: &str| claim(claims, name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let own = text(&names.subject).filter(|own| own.len() <= SUBJECT_BYTES).ok_or(Refused::NoSubject)?;
    let verified = match claim(claims, &names.email_verified) {
        Some(Value::Bool(verified)) => *verified,
        // Some write it so.
        Some(Value::String(verified)) => verified == "true",
        _ => settings.email_is_verified,
    };
    let email = text(&names.email).filter(|email| verified && Email::parse(email, "").is_ok());
    let employers = employers(settings, claims, speaks_for);
    let roles = roles(settings, claims, !employers.is_empty());
    let identities = roles.into_iter().map(|(role, areas)| Identity {
        // An issuer holds no `#`, so that no two providers can say the same.
        subject: format!("{}#{own}", settings.issuer),
        role,
        name: text(&names.name).map(str::to_owned),
        email: email.map(str::to_owned),
        employers: role.is_customer().then(|| employers.clone()),
        areas,
    });
    let identities: Vec<_> = identities.collect();
    let named = named(settings, claims);
    match (identities.is_empty(), named.is_empty()) {
        (false, _) => Ok(identities),
        (true, true) => Err(Refused::NoEmployer),
        (true, false) => Err(Refused::OtherEmployer(named)),
    }
}

/// Whether the claims say that somebody has protected identity: in whatever way but a plain no.
pub fn is_protected(settings: &IdentityProvider, claims: &Value) -> bool {
    match settings.claims.protected.as_deref().and_then(|name| claim(claims, name)) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !["", "false", "0"].contains(&text.as_str()),
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        Some(_) => true,
    }
}

/// The roles of the rules that hold, each with the areas of all that give it. Whoever has an employer is an employee there,
/// unless another role is more than that; without an employer nobody has a role at one.
fn roles(settings: &IdentityProvider, claims: &Value, employed: bool) -> Vec<(Role, Option<Vec<Area>>)> {
    let said = texts(claim(claims, &settings.claims.roles));
    let mut roles: Vec<(Role, Option<Vec<Area>>)> = Vec::new();
    for rule in settings.roles.iter().filter(|rule| said.contains(&rule.value.as_str())) {
        match roles.iter_mut().find(|(role, _)| *role == rule.role) {
            None => roles.push((rule.role, rule.areas.clone())),
            Some((_, areas)) => match (areas.as_mut(), &rule.areas) {
                (Some(areas), Some(more)) => areas.extend(more),
                _ => *areas = None,
            },
        }
    }
    for (_, areas) in &mut roles {
        if let Some(areas) = areas {
            areas.sort_unstable_by_key(|area| area.code());
            areas.dedup();
        }
    }
    roles.retain(|(role, _)| employed || !role.is_customer());
    if employed && !roles.iter().any(|(role, _)| role.is_customer()) {
        roles.push((Role::Employee, None));
    }
    roles
}

/// The employers of an employee; where the provider does not tell, the one that it serves.
fn employers(
    settings: &IdentityProvider,
    claims: &Value,
    speaks_for: impl Fn(OrganisationNumber) -> bool,
) -> Vec<OrganisationNumber> {
    if settings.claims.organisation_number.is_none() {
        return settings.employers.clone();
    }
    named(settings, claims).into_iter().filter(|employer| speaks_for(*employer)).collect()
}

/// The employers that the claims name, believed or not.
fn named(settings: &IdentityProvider, claims: &Value) -> Vec<OrganisationNumber> {
    let name = settings.claims.organisation_number.as_deref();
    let said = texts(name.and_then(|name| claim(claims, name)));
    let mut employers: Vec<_> = said.into_iter().filter_map(OrganisationNumber::parse).collect();
    employers.sort_unstable();
    employers.dedup();
    employers
}

/// The claim of a name, or of a path into objects.
fn claim<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    // A name may hold points itself, as addresses do.
    claims.get(name).or_else(|| name.split('.').try_fold(claims, |value, part| value.get(part)))
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use serde_json::json;

    fn settings(more: &str) -> IdentityProvider {
        let toml = format!(
            "[[identity_providers]]
             issuer = 'https://login.example'
             client_id = 'kundwebb'
             client_secret = 'hemligt'
             employers = ['4021000007']
             roles = [
                {{ value = 'lon', role = 'officer', areas = ['lon'] }},
                {{ value = 'ekonomi', role = 'officer', areas = ['ekonomi', 'e-handel'] }},
                {{ value = 'alla', role = 'officer' }},
                {{ value = 'revision', role = 'auditor' }},
             ]
             {more}"
        );
        Config::parse(&toml).unwrap().identity_providers.remove(0)
    }

    fn number(text: &str) -> OrganisationNumber {
        OrganisationNumber::parse(text).unwrap()
    }

    /// What the claims come to, with a provider that speaks for Exempelverket and Provmyndigheten.
    fn met(more: &str, claims: &Value) -> Result<Identity, Refused> {
        Ok(all_met(more, claims)?.remove(0))
    }

    fn all_met(more: &str, claims: &Value) -> Result<Vec<Identity>, Refused> {
        let own = ["4021000007", "4021010006"].map(number);
        identity(&settings(more), claims, |employer| own.contains(&employer))
    }

    #[test]
    fn an_employee_is_known_by_issuer_and_subject() {
        let claims =
            json!({"sub": "anna", "name": "Anna Öberg", "email": "anna@x.example", "email_verified": true});
        let anna = met("", &claims).unwrap();
        assert_eq!(anna.subject, "https://login.example#anna");
        assert_eq!(
            (anna.name.as_deref(), anna.email.as_deref()),
            (Some("Anna Öberg"), Some("anna@x.example"))
        );
        assert_eq!(
            (anna.role, anna.employers, anna.areas),
            (Role::Employee, Some(vec![number("4021000007")]), None)
        );
    }

    #[test]
    fn an_address_counts_only_when_it_is_verified() {
        for (verified, setting, counts) in [
            (json!(true), "", true),
            (json!("true"), "", true),
            (json!(false), "", false),
            (json!("false"), "email_is_verified = true", false),
            (json!(false), "email_is_verified = true", false),
            (json!(1), "", false),
            (Value::Null, "", false),
            (Value::Null, "email_is_verified = true", true),
        ] {
            let claims = json!({"sub": "anna", "email": "anna@x.example", "email_verified": verified});
            assert_eq!(met(setting, &claims).unwrap().email.is_some(), counts, "{claims} {setting}");
        }
        let none = json!({"sub": "anna", "email": "no address", "email_verified": true});
        assert_eq!(met("", &none).unwrap().email, None);
    }

    #[test]
    fn a_provider_speaks_only_for_the_employers_whose_login_it_is() {
        let of =
            |org: Value| met("claims = { organisation_number = 'org' }", &json!({"sub": "anna", "org": org}));
        let own = |org| of(org).unwrap().employers.unwrap();
        assert_eq!(own(json!("402100-0007")), [number("4021000007")]);
        assert_eq!(
            own(json!(["4021010006", "4021000007", "4021000007"])),
            ["4021000007", "4021010006"].map(number)
        );
        assert_eq!(own(json!(["4021040003", "4021000007"])), [number("4021000007")]);
        assert_eq!(of(json!("4021040003")), Err(Refused::OtherEmployer(vec![number("4021040003")])));
        for foreign in [json!("nonsense"), json!([]), json!(4_021_000_007_u64), Value::Null] {
            assert_eq!(of(foreign.clone()), Err(Refused::NoEmployer), "{foreign}");
        }
    }

    #[test]
    fn roles_are_those_of_the_rules_and_nobody_else_is_more_than_an_employee() {
        let of = |roles: Value| {
            let met = met("", &json!({"sub": "olle", "roles": roles})).unwrap();
            (met.role, met.areas, met.employers.is_none())
        };
        assert_eq!(of(json!("lon")), (Role::Officer, Some(vec![Area::Lon]), true));
        let three = Some(vec![Area::EHandel, Area::Ekonomi, Area::Lon]);
        assert_eq!(of(json!(["revision", "ekonomi", "lon"])), (Role::Officer, three, true));
        assert_eq!(of(json!(["lon", "alla"])), (Role::Officer, None, true));
        assert_eq!(of(json!(["alla", "lon"])), (Role::Officer, None, true));
        assert_eq!(of(json!(["revision"])), (Role::Auditor, None, true));
        let all = all_met("", &json!({"sub": "olle", "roles": ["revision", "lon"]})).unwrap();
        let all: Vec<_> = all.into_iter().map(|met| (met.role, met.areas, met.employers)).collect();
        let employee = (Role::Employee, None, Some(vec![number("4021000007")]));
        let lon = (Role::Officer, Some(vec![Area::Lon]), None);
        assert_eq!(all, [lon, (Role::Auditor, None, None), employee]);
        for none in [json!(["officer", "LON", ""]), json!([["lon"]]), json!({"lon": true}), Value::Null] {
            assert_eq!(of(none.clone()), (Role::Employee, None, false), "{none}");
        }
    }

    #[test]
    fn claims_lie_where_the_settings_say() {
        let more = "claims = { subject = 'https://x.example/id', roles = 'realm_access.roles' }";
        let claims = json!({
            "sub": "anna", "https://x.example/id": "a1", "realm_access": {"roles": ["revision"]}, "roles": ["alla"],
        });
        let met = met(more, &claims).unwrap();
        assert_eq!((met.subject.as_str(), met.role), ("https://login.example#a1", Role::Auditor));
    }

    #[test]
    fn protected_identity_is_taken_in_doubt_for_a_yes() {
        let settings = settings("claims = { protected = 'skyddad' }");
        for (said, protected) in [
            (json!(true), true),
            (json!("true"), true),
            (json!("ja"), true),
            (json!(1), true),
            (json!(["sekretessmarkering"]), true),
            (json!(false), false),
            (json!("false"), false),
            (json!(0), false),
            (Value::Null, false),
        ] {
            assert_eq!(is_protected(&settings, &json!({"skyddad": said})), protected, "{said}");
        }
        assert!(!is_protected(&settings, &json!({})));
    }

    #[test]
    fn who_is_nobody_is_refused() {
        for subject in [json!(""), json!(5), Value::Null, json!("a".repeat(256))] {
            assert_eq!(met("", &json!({ "sub": subject })), Err(Refused::NoSubject));
        }
    }
}
