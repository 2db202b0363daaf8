//! How often anybody may call.

use std::num::NonZeroU32;

use ipnet::IpNet;
use serde::Deserialize;

/// How often anybody may call. Each node counts by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Whether there are limits at all; when absent, everywhere but in the demo.
    pub enabled: Option<bool>,
    /// How many requests a person or a system may send to the API in a minute; whoever is not known, all of an address
    /// (IPv6: of a /64) together.
    pub requests: NonZeroU32,
    /// How many forms of the pages a person may send in a minute.
    pub forms: NonZeroU32,
    /// How many pages and files a person may read in a minute.
    pub pages: NonZeroU32,
    /// How many steps of logins may come from an address in a minute; a login has two.
    pub logins: NonZeroU32,
    /// The networks of the proxies before this web, whose `X-Forwarded-For` tells from where a request comes.
    pub trusted_proxies: Vec<IpNet>,
}

/// What there is to say when everybody comes by a proxy of which the settings know nothing. Nothing when all is well.
pub fn unknown_proxy(config: &crate::Config) -> Option<String> {
    let limits = &config.limits;
    let counted = limits.enabled.unwrap_or(!config.demo.enabled) && limits.trusted_proxies.is_empty();
    (counted && config.public_url().starts_with("https://")).then(|| {
        "people come by https://, and so by a proxy, and limits.trusted_proxies names none: all who are not logged in are counted \
         as one. Name the network from which it asks, for example trusted_proxies = [\"127.0.0.1/32\"] in [limits], and let it \
         write X-Forwarded-For"
            .to_owned()
    })
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: None,
            requests: at_least_one(1200),
            forms: at_least_one(60),
            pages: at_least_one(600),
            logins: at_least_one(600),
            trusted_proxies: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unknown_proxy;
    use crate::Config;

    #[test]
    fn a_proxy_that_the_settings_do_not_name_is_told_of() {
        let told = |toml: &str| unknown_proxy(&Config::parse(toml).unwrap()).is_some();
        assert!(told("public_url = 'https://kundwebb.example'"));
        assert!(!told(
            "public_url = 'https://kundwebb.example'\n[limits]\ntrusted_proxies = ['127.0.0.1/32']"
        ));
        assert!(!told("public_url = 'https://kundwebb.example'\n[limits]\nenabled = false"));
        assert!(!told("public_url = 'https://kundwebb.example'\n[demo]\nenabled = true"));
        assert!(!told(""));
    }

    #[test]
    fn limits_are_read_and_none_is_nothing() {
        let config =
            Config::parse("[limits]\nrequests = 5\ntrusted_proxies = ['10.0.0.0/8', '::1/128']").unwrap();
        assert_eq!((config.limits.requests.get(), config.limits.forms.get()), (5, 60));
        assert_eq!(config.limits.trusted_proxies.len(), 2);
        for wrong in ["requests = 0", "trusted_proxies = ['10.0.0.0/40']", "request = 5"] {
            assert!(Config::parse(&format!("[limits]\n{wrong}")).is_err(), "{wrong}");
        }
    }
}
