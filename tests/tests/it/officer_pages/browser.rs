//! A browser without JavaScript: the session of a person, forms filled in and sent as they stand on the page.

use api::pages::cookies;
use domain::access::Role;
use infrastructure::tokens::Identity;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response, StatusCode};

use crate::support::TestApp;

/// A browser in which somebody is logged in.
pub(crate) struct Browser<'a> {
    app: &'a TestApp,
    cookies: String,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) html: String,
    pub(crate) location: Option<String>,
    /// In how many seconds one may come again.
    pub(crate) retry_after: Option<String>,
}

impl<'a> Browser<'a> {
    pub(crate) async fn of(app: &'a TestApp, identity: Identity) -> Self {
        Self::of_roles(app, identity, Vec::new()).await
    }

    /// Of somebody who may change to other roles.
    pub(crate) async fn of_roles(app: &'a TestApp, identity: Identity, others: Vec<Identity>) -> Self {
        let session = app.app.begin_session_as(identity, others, None).await.unwrap();
        Self { app, cookies: format!("{}={session}", cookies::session_name(&app.app)) }
    }

    /// The same browser after a change of roles on a page, and what that was answered with.
    pub(crate) async fn in_role(self, page: &str, role: Role) -> (Self, Page) {
        let hidden = self.get(page).await.hidden("/roll");
        let mut fields = vec![("roll", role.code())];
        fields.extend(hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = self.request(Method::POST, "/roll").form(&fields).send().await.unwrap();
        let told = answer.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
        let cookies = told.split(';').next().unwrap().to_owned();
        (Self { cookies, ..self }, Page::of(answer).await)
    }

    /// The same browser, reading English.
    pub(crate) fn in_english(mut self) -> Self {
        self.cookies.push_str(&format!("; {}=en", cookies::LANGUAGE));
        self
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.client.request(method, format!("{}{path}", self.app.url)).header(COOKIE, &self.cookies)
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        read(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        read(self.request(Method::POST, path).form(fields)).await
    }

    pub(crate) async fn post_with_file(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, &[u8]),
    ) -> Page {
        let form = fields
            .iter()
            .fold(Form::new(), |form, (name, value)| form.text((*name).to_owned(), (*value).to_owned()));
        let part = Part::bytes(file.1.to_vec()).file_name(file.0.to_owned());
        read(self.request(Method::POST, path).multipart(form.part("files", part))).await
    }

    /// Sends a body as it stands.
    pub(crate) async fn post_raw(&self, path: &str, media_type: &str, body: Vec<u8>) -> Page {
        read(self.request(Method::POST, path).header(CONTENT_TYPE, media_type).body(body)).await
    }

    /// Fills in a form of a page and sends it.
    pub(crate) async fn submit(&self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.hidden(action);
        let mut all: Vec<(&str, &str)> =
            hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(fields);
        self.post(action, &all).await
    }

    /// As [`Browser::submit`], where it is accepted: the page that one comes to.
    #[track_caller]
    pub(crate) fn done(&self, page: &Page) -> impl Future<Output = Page> {
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
        let location = page.location.clone().unwrap();
        let request = self.request(Method::GET, &location);
        async move {
            let page = read(request).await;
            assert_eq!(page.status, StatusCode::OK, "{location}: {}", page.text());
            page
        }
    }
}

async fn read(request: RequestBuilder) -> Page {
    Page::of(request.send().await.unwrap()).await
}

impl Page {
    async fn of(answer: Response) -> Self {
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, location, retry_after) = (answer.status(), header(LOCATION), header(RETRY_AFTER));
        Self { status, html: answer.text().await.unwrap(), location, retry_after }
    }

    /// Whether the page says something.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// Checks that the page came, and says something.
    #[track_caller]
    pub(crate) fn shows(&self, status: u16, words: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert!(self.says(words), "»{words}« is missing in: {}", self.text());
    }

    /// What people read on the page, in one line.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        for character in self.html.chars() {
            match character {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    text.push(' ');
                }
                _ if !inside => text.push(character),
                _ => {}
            }
        }
        let text =
            text.replace("&#34;", "\"").replace("&#39;", "'").replace("&amp;", "&").replace('\u{a0}', " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The form that is sent to an address.
    #[track_caller]
    pub(crate) fn form(&self, action: &str) -> &str {
        let start = self.html.find(&format!("action=\"{action}\""));
        let start = start.unwrap_or_else(|| panic!("no form to {action} in: {}", self.text()));
        let rest = &self.html[start..];
        &rest[..rest.find("</form>").unwrap()]
    }

    /// Whether there is a form to an address.
    pub(crate) fn has_form(&self, action: &str) -> bool {
        self.html.contains(&format!("action=\"{action}\""))
    }

    /// The hidden fields of a form that are sent.
    #[track_caller]
    pub(crate) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let inputs = self.form(action).split("<input type=\"hidden\" ").skip(1);
        inputs
            .filter(|input| !input.split('>').next().unwrap().ends_with(" disabled"))
            .map(|input| {
                let value = |name: &str| {
                    let rest = &input[input.find(&format!("{name}=\"")).unwrap() + name.len() + 2..];
                    rest[..rest.find('"').unwrap()].to_owned()
                };
                (value("name"), value("value"))
            })
            .collect()
    }

    /// The path of the page that one is led to, without its query.
    #[track_caller]
    pub(crate) fn path(&self) -> String {
        self.location.as_deref().unwrap().split('?').next().unwrap().to_owned()
    }

    /// The addresses of all links that begin so.
    pub(crate) fn links(&self, start: &str) -> Vec<String> {
        let links = self.html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        links
            .filter(|link| link.starts_with(start))
            .map(|link| link.replace("&#38;", "&").replace("&amp;", "&"))
            .collect()
    }
}
