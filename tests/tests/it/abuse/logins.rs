//! Sessions that are planted or another installation's, and addresses to which a login would lead.

use api::pages::cookies;
use domain::access::Role;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Response, Url};

use crate::support::{EXEMPELVERKET, TestApp, identity};

/// Where somebody would have one led to.
const ELSEWHERE: [&str; 22] = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https:evil.example",
    "https://evil.example",
    "http:/evil.example",
    "//evil.example\\@127.0.0.1",
    "%2f%2fevil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/.//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/x\r\nset-cookie: planted=1",
    "/%0d%0aset-cookie:%20planted=1",
];

async fn demo() -> TestApp {
    TestApp::start_with(|config| config.demo.enabled = true).await
}

/// The session that an answer begins.
fn begun(answer: &Response) -> Option<String> {
    let cookies = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let start = format!("{}=", cookies::SESSION);
    let mut values = cookies.filter_map(|cookie| cookie.strip_prefix(&start));
    values.next().map(|cookie| cookie.split(';').next().unwrap().to_owned())
}

async fn with(app: &TestApp, cookie: &str, path: &str) -> Response {
    app.client.get(format!("{}{path}", app.url)).header(COOKIE, cookie).send().await.unwrap()
}

#[tokio::test]
async fn a_session_that_was_planted_is_never_the_one_of_a_login() {
    let app = demo().await;
    // Mallory's own, too, which he has in his hand.
    let mallory = app.app.begin_session(identity("mallory", Role::Employee)).await.unwrap();
    let planted = "0".repeat(64);
    for before in [mallory.as_str(), planted.as_str(), "", "x"] {
        let login = app.client.post(format!("{}/logga-in", app.url));
        let login = login.header(COOKIE, format!("{}={before}", cookies::SESSION));
        let login = login.form(&[("person", "anna.exempel"), ("till", "/")]).send().await.unwrap();
        assert_eq!(login.status(), 303, "{before}");
        let session = begun(&login).expect("a login begins a session");
        assert!(session != before && session.len() == 64, "{session}");
        let old = with(&app, &format!("{}={before}", cookies::SESSION), "/mina-arenden").await;
        assert_eq!(old.status(), 303, "{before}");
        let new = with(&app, &format!("{}={session}", cookies::SESSION), "/mina-arenden").await;
        assert_eq!(new.status(), 200);
    }
    // Two of the same name: whichever counts, none is taken over.
    let two = format!("{0}={planted}; {0}={mallory}", cookies::SESSION);
    assert_eq!(with(&app, &two, "/mina-arenden").await.status(), 303);
}

#[tokio::test]
async fn cookies_of_another_installation_open_nothing_and_break_nothing() {
    let (app, other) = (demo().await, demo().await);
    let session = other.app.begin_session(identity("anna", Role::Employee)).await.unwrap();
    let own = app.app.begin_session(identity("anna", Role::Employee)).await.unwrap();
    let foreign = format!("{}={session}", cookies::SESSION);
    assert_eq!(with(&other, &foreign, "/mina-arenden").await.status(), 200);
    assert_eq!(with(&app, &foreign, "/mina-arenden").await.status(), 303);
    let token = other.officer("olle").token.unwrap();
    let borne = app.client.get(format!("{}/api/v1/cases", app.url)).bearer_auth(&token).send().await.unwrap();
    assert_eq!(borne.status(), 401);
    // Beside one's own session: a position that is not reached here, an employer and a language that are not known.
    let odd = [
        (cookies::POSITION, "999999999"),
        (cookies::POSITION, "-1"),
        (cookies::EMPLOYER, "5566778899"),
        (cookies::EMPLOYER, "x"),
        (cookies::LANGUAGE, "xx"),
        ("kundwebb_login_0123456789abcdef", "foreign"),
    ];
    for (name, value) in odd {
        let cookies = format!("{}={own}; {name}={value}", cookies::SESSION);
        assert_eq!(with(&app, &cookies, "/mina-arenden").await.status(), 200, "{name}={value}");
    }
}

/// Where an answer leads to is told as browsers do.
#[track_caller]
fn stays(app: &TestApp, answer: &Response, asked: &str) {
    let here: Url = app.url.parse().unwrap();
    for name in ["location", "refresh"] {
        let Some(value) = answer.headers().get(name) else { continue };
        let value = value.to_str().unwrap();
        let target = value.strip_prefix("0; url=").unwrap_or(value);
        let target = here.join(target).unwrap();
        assert_eq!(
            (target.scheme(), target.host(), target.port()),
            (here.scheme(), here.host(), here.port()),
            "{asked}: {value}"
        );
    }
    let planted = answer
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .any(|cookie| cookie.to_str().unwrap().contains("planted"));
    assert!(!planted, "{asked}");
}

#[tokio::test]
async fn nothing_that_comes_back_to_an_address_leads_to_another_host() {
    let app = demo().await;
    let session = format!(
        "{}={}",
        cookies::SESSION,
        app.app.begin_session(identity("anna", Role::Employee)).await.unwrap()
    );
    let chosen = format!("{}={EXEMPELVERKET}", cookies::EMPLOYER);
    for asked in ELSEWHERE {
        let query = Url::parse_with_params("http://x/", [("till", asked), ("kod", "en")]).unwrap();
        let query = query.query().unwrap().to_owned();
        for path in ["/sprak", "/logga-in", "/valj-arbetsgivare"] {
            for cookie in [&session, &chosen] {
                let answer = with(&app, cookie, &format!("{path}?{query}")).await;
                stays(&app, &answer, asked);
                // What the page sends back is no more than what may be led to.
                let html = answer.text().await.unwrap();
                for part in html.split("name=\"till\" value=\"").skip(1) {
                    assert!(
                        part.starts_with('/') && !part.starts_with("//") && !part.starts_with("/\\"),
                        "{asked}: {part}"
                    );
                }
            }
        }
        let forms: [(&str, &[(&str, &str)]); 2] = [
            ("/logga-in", &[("person", "anna.exempel"), ("till", asked)]),
            ("/valj-arbetsgivare", &[("employer", EXEMPELVERKET), ("till", asked)]),
        ];
        for (path, fields) in forms {
            for cookie in [&session, &chosen] {
                let send = app.client.post(format!("{}{path}", app.url)).header(COOKIE, cookie).form(fields);
                let answer = send.send().await.unwrap();
                assert!(answer.headers().contains_key(LOCATION), "{path} {asked}");
                stays(&app, &answer, asked);
            }
        }
    }
}
