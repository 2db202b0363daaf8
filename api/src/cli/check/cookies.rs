//! Whether browsers take the cookies and give them back to us alone: how the web is reached, and how long a login lasts.

use anyhow::{Context as _, ensure};
use openidconnect::url::{Host, Url};

use crate::Config;

/// What is said of the cookies, or what to do.
pub(super) fn check(config: &Config) -> anyhow::Result<String> {
    config.sessions.check().map_err(anyhow::Error::msg)?;
    let address = config.public_url();
    let url = read(&address)?;
    let reached = if url.scheme() == "https" { by_https(config, &url) } else { without_https(config, &url)? };
    let sessions = &config.sessions;
    Ok(format!(
        "{reached}; a login lasts {} minutes without use and {} hours at most",
        sessions.idle_minutes, sessions.absolute_hours
    ))
}

/// The address under which people reach the web, if it is one: cookies and the way back from a login belong to a host.
fn read(address: &str) -> anyhow::Result<Url> {
    let advice = "set it to scheme and host alone, as https://kundwebb.example";
    let url = Url::parse(address)
        .with_context(|| format!("public_url is {address}, which is no address; {advice}"))?;
    ensure!(
        ["https", "http"].contains(&url.scheme()) && url.has_host(),
        "public_url is {address}, where browsers keep no cookies; {advice}"
    );
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    ensure!(
        bare && url.username().is_empty() && url.password().is_none(),
        "public_url is {address}: the web lies at the root of its host, and its cookies belong to the whole host; {advice}, and \
         have the proxy give it a host of its own"
    );
    ensure!(
        !url.host_str().is_some_and(|host| host.ends_with('.')),
        "public_url is {address}: to browsers that is another host than the one without the dot at its end; leave the dot out"
    );
    Ok(url)
}

fn by_https(config: &Config, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let door = if config.listen.ip().is_loopback() {
        format!(
            "the proxy that ends TLS must stand on this machine, for the web listens on {}",
            config.listen
        )
    } else {
        format!("let nobody but the proxy that ends TLS reach {}", config.listen)
    };
    let inside = if host.contains('.') || host.contains(':') {
        ""
    } else {
        "; its name has no dot, so that only a network of your own finds it, and hardly anybody issues a certificate for it"
    };
    format!("that of a session is __Host-, for {host} alone and by HTTPS alone{inside}; {door}")
}

fn without_https(config: &Config, url: &Url) -> anyhow::Result<String> {
    let host = url.host_str().unwrap_or_default();
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    ensure!(
        config.listen.ip().is_loopback() || config.public_url.is_some(),
        "the web listens on {}, and public_url does not say under which address people reach it; set it to https://HOST",
        config.listen
    );
    ensure!(
        local,
        "public_url is {url}: without https:// cookies can be read and planted on the way, and cannot be bound to the host \
         (__Host-); set it to https://{host} and have a proxy end TLS"
    );
    // A demo in a container listens to the machine around it.
    ensure!(
        config.listen.ip().is_loopback() || config.demo.enabled,
        "the web listens on {}, which others reach, and public_url is {url}, which leads them to their own machine; set it to \
         https:// and the name under which they reach this one",
        config.listen
    );
    Ok(format!(
        "without HTTPS, on this machine alone ({host}), where they are good for a trial; to serve people, set public_url to \
         https://HOST, and they are bound to that host (__Host-)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(public_url: Option<&str>, listen: &str) -> Result<String, String> {
        let mut config = Config { listen: listen.parse().unwrap(), ..Config::default() };
        config.public_url = public_url.map(str::to_owned);
        check(&config).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_session_is_bound_to_its_host_where_that_is_reached_by_https() {
        let well = said(Some("https://kundwebb.example/"), "127.0.0.1:8080").unwrap();
        assert!(
            well.contains("__Host-, for kundwebb.example alone") && well.contains("on this machine"),
            "{well}"
        );
        assert!(well.contains("60 minutes without use and 8 hours"), "{well}");
        let open = said(Some("https://kundwebb.example:8443"), "0.0.0.0:8080").unwrap();
        assert!(open.contains("let nobody but the proxy that ends TLS reach 0.0.0.0:8080"), "{open}");
        assert!(said(Some("https://kundwebb"), "127.0.0.1:1").unwrap().contains("has no dot"));
        assert!(!said(Some("https://[2001:db8::1]"), "127.0.0.1:1").unwrap().contains("has no dot"));
    }

    #[test]
    fn without_https_this_machine_alone_is_reached() {
        for address in
            [None, Some("http://localhost:8080"), Some("http://[::1]:8080"), Some("http://a.localhost")]
        {
            let well = said(address, "127.0.0.1:8080").unwrap();
            assert!(well.contains("to serve people, set public_url to https://HOST"), "{well}");
        }
        for (address, listen, why) in [
            (None, "0.0.0.0:8080", "public_url does not say"),
            (Some("http://kundwebb.example"), "127.0.0.1:8080", "set it to https://kundwebb.example"),
            (Some("http://localhost:8080"), "0.0.0.0:8080", "leads them to their own machine"),
            (Some("http://localhost.evil.example"), "127.0.0.1:8080", "cookies can be read"),
        ] {
            let wrong = said(address, listen).unwrap_err();
            assert!(wrong.contains(why), "{address:?}: {wrong}");
        }
    }

    #[test]
    fn an_address_that_is_more_or_less_than_a_host_is_refused_in_words() {
        for (address, why) in [
            ("kundwebb.example", "no address"),
            ("https://", "no address"),
            ("ftp://kundwebb.example", "keep no cookies"),
            ("mailto:a@b.example", "keep no cookies"),
            ("https://centret.example/kundwebb", "a host of its own"),
            ("https://centret.example/?a=b", "a host of its own"),
            ("https://anna@centret.example", "a host of its own"),
            ("https://kundwebb.example.", "leave the dot out"),
        ] {
            let wrong = said(Some(address), "127.0.0.1:8080").unwrap_err();
            assert!(wrong.contains(why), "{address}: {wrong}");
        }
        let mut config = Config::default();
        config.sessions.idle_minutes = 1;
        assert!(check(&config).unwrap_err().to_string().contains("sessions.idle_minutes is 1"));
    }
}
