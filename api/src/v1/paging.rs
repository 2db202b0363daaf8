//! Pages of lists: where one is, and the links to the others (RFC 8288).

use axum::http::{HeaderName, HeaderValue, Uri, header};
use projections::Page;
use serde::Serialize;
use utoipa::ToSchema;

/// How many cases a page has when nothing is said.
pub const LIMIT: u64 = 20;
/// Most cases on a page.
pub const LIMIT_MAX: u64 = 100;
/// How far into a list one can read: page × limit.
pub const READ_MAX: u64 = 10_000;

/// Where in a list a page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PageMeta)]
pub struct Meta {
    /// Which page, from 1.
    pub page: u64,
    /// How many a page may have.
    pub limit: u64,
    /// How many this page has.
    pub count: u64,
    /// How many there are in all, counted up to 10 000.
    pub total_records: u64,
    /// How many pages that makes.
    pub total_pages: u64,
    /// Whether the total was counted to its end.
    pub total_records_is_exact: bool,
    /// Why the list comes without subjects and persons; absent when it comes with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub withheld: Option<String>,
}

impl Meta {
    /// Of a page that was found.
    pub fn of(found: &Page, page: u64, limit: u64) -> Self {
        Self {
            page,
            limit,
            count: found.rows.len() as u64,
            total_records: found.total,
            total_pages: found.total.div_ceil(limit),
            total_records_is_exact: found.exact,
            withheld: None,
        }
    }
}

/// The header with the links to other pages of the list at `address`.
pub fn links(address: &Uri, meta: &Meta) -> Option<(HeaderName, HeaderValue)> {
    let last = meta.total_pages.max(1);
    let mut links = vec![(1, "first")];
    if meta.page > 1 {
        links.push(((meta.page - 1).min(last), "prev"));
    }
    if meta.page < last && (meta.page + 1) * meta.limit <= READ_MAX {
        links.push((meta.page + 1, "next"));
    }
    if meta.total_records_is_exact && last * meta.limit <= READ_MAX {
        links.push((last, "last"));
    }
    let links =
        links.into_iter().map(|(page, relation)| format!("<{}>; rel=\"{relation}\"", at(address, page)));
    let value = HeaderValue::try_from(links.collect::<Vec<_>>().join(", ")).ok()?;
    Some((header::LINK, value))
}

/// The same address with another page.
fn at(address: &Uri, page: u64) -> String {
    let kept = address.query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
    let mut query: Vec<&str> = kept.filter(|part| part.split('=').next() != Some("page")).collect();
    let page = format!("page={page}");
    query.push(&page);
    format!("{}?{}", address.path(), query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(page: u64, total: u64, exact: bool) -> String {
        let meta = Meta {
            page,
            limit: 20,
            count: 0,
            total_records: total,
            total_pages: total.div_ceil(20),
            total_records_is_exact: exact,
            withheld: None,
        };
        let address = "/api/v1/cases?page=9&q=l%C3%B6n".parse().unwrap();
        links(&address, &meta).unwrap().1.to_str().unwrap().replace("/api/v1/cases?q=l%C3%B6n&page=", "")
    }

    #[test]
    fn links_lead_to_pages_that_exist() {
        assert_eq!(
            link(2, 50, true),
            "<1>; rel=\"first\", <1>; rel=\"prev\", <3>; rel=\"next\", <3>; rel=\"last\""
        );
        assert_eq!(link(1, 0, true), "<1>; rel=\"first\", <1>; rel=\"last\"");
        assert_eq!(link(9, 50, true), "<1>; rel=\"first\", <3>; rel=\"prev\", <3>; rel=\"last\"");
        assert_eq!(link(500, 10_000, false), "<1>; rel=\"first\", <499>; rel=\"prev\"");
    }
}
