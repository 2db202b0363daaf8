//! A browser on its way through a login: it keeps cookies, goes where it is sent, and can stop before it gives an answer.

use std::sync::Arc;

use reqwest::cookie::Jar;
use reqwest::header::{HeaderMap, LOCATION, REFRESH, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};

/// Most steps from one page to another.
const STEPS: usize = 20;

/// A browser.
pub(crate) struct Visit {
    pub(crate) client: Client,
    web: String,
    jar: Arc<Jar>,
}

/// A page, and where it was found.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) address: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Page {
    /// Where it leads to by itself.
    pub(crate) fn next(&self) -> Option<Url> {
        let text = |name| Some(self.headers.get(name)?.to_str().unwrap().to_owned());
        let refresh = || text(REFRESH).map(|refresh| refresh.strip_prefix("0; url=").unwrap().to_owned());
        let next = text(LOCATION).or_else(refresh)?;
        Some(self.address.join(&next).unwrap())
    }

    /// The cookies that it sets.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect()
    }

    /// Checks that the page came, at a path, and says something.
    #[track_caller]
    pub(crate) fn shows(&self, status: u16, path: &str, words: &str) {
        assert_eq!((self.status.as_u16(), self.address.path()), (status, path), "{}", self.html);
        assert!(self.html.contains(words), "»{words}« is missing in: {}", self.html);
    }

    /// Checks that it is the page that tells whom to call.
    #[track_caller]
    pub(crate) fn is_refusal(&self) {
        self.shows(403, "/logga-in/fel", "välj knappval 3, IT-tjänstestöd");
    }

    /// The address of the page's only form.
    fn action(&self) -> Url {
        let action = self.html.split("action=\"").nth(1).unwrap_or_else(|| panic!("no form: {}", self.html));
        self.address.join(action.split('"').next().unwrap()).unwrap()
    }

    /// The value of a hidden field.
    fn hidden(&self, name: &str) -> String {
        let field = self.html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        field.split('"').next().unwrap().to_owned()
    }
}

impl Visit {
    /// A new browser, before a web.
    pub(crate) fn new(web: &str) -> Self {
        let jar = Arc::<Jar>::default();
        let client = Client::builder().cookie_provider(Arc::clone(&jar)).redirect(Policy::none());
        Self { client: client.build().unwrap(), web: web.to_owned(), jar }
    }

    /// The same browser with a cookie of the web.
    pub(crate) fn with_cookie(self, name: &str, value: &str) -> Self {
        self.jar.add_cookie_str(&format!("{name}={value}; Path=/"), &self.at("/"));
        self
    }

    /// An address of the web.
    pub(crate) fn at(&self, path: &str) -> Url {
        Url::parse(&self.web).unwrap().join(path).unwrap()
    }

    /// One page, wherever it leads.
    pub(crate) async fn page(&self, request: RequestBuilder) -> Page {
        let answer = request.send().await.unwrap();
        let (status, address) = (answer.status(), answer.url().clone());
        let headers = answer.headers().clone();
        Page { status, address, headers, html: answer.text().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.page(self.client.get(self.at(path))).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.page(self.client.post(self.at(path)).form(fields)).await
    }

    /// Goes on from a page to where it leads; stops before an address that begins so.
    pub(crate) async fn follow(&self, mut page: Page, stop: Option<&Url>) -> Result<Page, Url> {
        for _ in 0..STEPS {
            let Some(next) = page.next() else { return Ok(page) };
            if stop.is_some_and(|stop| next.as_str().starts_with(stop.as_str())) {
                return Err(next);
            }
            page = self.page(self.client.get(next)).await;
        }
        panic!("it leads nowhere: {}", page.address)
    }

    /// The page to which one comes from a path.
    pub(crate) async fn go(&self, path: &str) -> Page {
        self.follow(self.get(path).await, None).await.unwrap()
    }

    /// Chooses an employer, and comes to the provider's page.
    pub(crate) async fn choose(&self, employer: &str, back: &str) -> Page {
        let chosen = self.post("/valj-arbetsgivare", &[("employer", employer), ("till", back)]).await;
        self.follow(chosen, None).await.unwrap()
    }

    /// Says to the provider who one is.
    async fn say(&self, page: &Page, person: &str) -> Page {
        let fields = [("prompt", "login"), ("login", person), ("password", "any")];
        self.page(self.client.post(page.action()).form(&fields)).await
    }

    /// Logs in at the provider's page, and comes to where that leads.
    pub(crate) async fn log_in(&self, page: &Page, person: &str) -> Page {
        let said = self.say(page, person).await;
        self.follow(said, None).await.unwrap()
    }

    /// Logs in at the provider's page, and stops with the answer to the web in its hand.
    pub(crate) async fn answer(&self, page: &Page, person: &str) -> Url {
        let said = self.say(page, person).await;
        let stop = self.at("/logga-in/svar");
        self.follow(said, Some(&stop)).await.expect_err("it gives no answer")
    }

    /// Gives an answer, and comes to where it leads.
    pub(crate) async fn give(&self, answer: &Url) -> Page {
        let page = self.page(self.client.get(answer.clone())).await;
        self.follow(page, None).await.unwrap()
    }

    /// Says yes to the provider's question whether one wants to log out.
    pub(crate) async fn log_out(&self, page: &Page) -> Page {
        let fields = [("xsrf", page.hidden("xsrf")), ("logout", "yes".to_owned())];
        let out = self.page(self.client.post(page.action()).form(&fields)).await;
        self.follow(out, None).await.unwrap()
    }
}
