//! Markdown of those who write the pages, as HTML. Only what is written here ever stands in a page: paragraphs, headings,
//! lists, quotations, emphasis, code and links that lead somewhere harmless. HTML in the text is shown as text.

use std::borrow::Cow;

use askama::filters::{Html, escape};
use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag};

/// Most elements within each other; what lies deeper is shown without its own.
const DEEPEST: usize = 12;
/// What links may begin with, beside a page of our own.
const SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "tel:"];

/// A text as HTML, in two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose {
    /// What stands before the first heading.
    pub lead: String,
    /// The first heading and everything after it.
    pub rest: String,
}

/// A text as HTML. Its headings begin at the level `top`, and none is left out on the way to a deeper one.
pub fn render(text: &str, top: usize) -> Prose {
    let mut writer =
        Writer { prose: Prose::default(), in_rest: false, open: Vec::new(), levels: Vec::new(), top };
    for event in Parser::new_ext(text, Options::empty()) {
        writer.take(event);
    }
    writer.prose
}

/// A text as HTML, in one part, as [`render`].
pub fn html(text: &str, top: usize) -> String {
    let Prose { lead, rest } = render(text, top);
    lead + &rest
}

struct Writer {
    prose: Prose,
    in_rest: bool,
    /// What closes the elements that are open; empty for those that are not shown.
    open: Vec<Cow<'static, str>>,
    /// The levels, as written, of the headings above the text that follows.
    levels: Vec<HeadingLevel>,
    top: usize,
}

impl Writer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(_) => {
                let end = self.open.pop().unwrap_or_default();
                self.write(&end);
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => {
                self.write("<code>");
                self.text(&text);
                self.write("</code>");
            }
            Event::SoftBreak => self.write("\n"),
            Event::HardBreak => self.write("<br>"),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        // A list is no list without room for its items.
        let room = DEEPEST - usize::from(matches!(tag, Tag::List(_)));
        let shown = if self.open.len() < room { self.element(tag) } else { None };
        let (begin, end) = shown.unwrap_or_default();
        self.write(&begin);
        self.open.push(end);
    }

    /// What begins and ends an element, where it is shown.
    fn element(&mut self, tag: &Tag<'_>) -> Option<(String, Cow<'static, str>)> {
        let (begin, end) = match tag {
            Tag::Paragraph | Tag::HtmlBlock | Tag::CodeBlock(_) => ("<p class=\"ds-paragraph\">", "</p>"),
            Tag::BlockQuote(_) => ("<blockquote>", "</blockquote>"),
            Tag::List(None) => ("<ul class=\"ds-list\">", "</ul>"),
            Tag::List(Some(first)) => {
                return Some((format!("<ol class=\"ds-list\" start=\"{first}\">"), "</ol>".into()));
            }
            Tag::Item => ("<li>", "</li>"),
            Tag::Emphasis => ("<em>", "</em>"),
            Tag::Strong => ("<strong>", "</strong>"),
            Tag::Heading { level, .. } => return Some(self.heading(*level)),
            Tag::Link { link_type, dest_url, .. } => {
                let scheme = if *link_type == LinkType::Email { "mailto:" } else { "" };
                let address = format!("{scheme}{dest_url}");
                let link = may_lead(&address)
                    .then(|| format!("<a class=\"ds-link\" href=\"{}\">", escaped(&address)));
                return link.map(|link| (link, "</a>".into()));
            }
            _ => return None,
        };
        Some((begin.to_owned(), end.into()))
    }

    fn heading(&mut self, level: HeadingLevel) -> (String, Cow<'static, str>) {
        self.in_rest |= self.open.is_empty();
        while self.levels.last().is_some_and(|above| *above >= level) {
            self.levels.pop();
        }
        let shown = (self.top + self.levels.len()).min(6);
        let size = if self.levels.is_empty() { "md" } else { "xs" };
        self.levels.push(level);
        (format!("<h{shown} class=\"ds-heading\" data-size=\"{size}\">"), format!("</h{shown}>").into())
    }

    fn text(&mut self, text: &str) {
        self.write(&escaped(text));
    }

    fn write(&mut self, html: &str) {
        let part = if self.in_rest { &mut self.prose.rest } else { &mut self.prose.lead };
        part.push_str(html);
    }
}

fn escaped(text: &str) -> String {
    let Ok(escaped) = escape(text, Html);
    escaped.0.to_string()
}

/// Whether a link may lead to an address: to the web, a mailbox or a phone, or to a page of our own.
fn may_lead(address: &str) -> bool {
    // Browsers leave out some of these, and read others as a slash.
    let odd = |character: char| character.is_control() || character.is_whitespace() || character == '\\';
    let begins =
        |scheme: &str| address.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    let own = address.starts_with('/') && !address.starts_with("//");
    !address.contains(odd) && (own || SCHEMES.iter().any(|scheme| begins(scheme)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn html(text: &str) -> String {
        let prose = render(text, 2);
        prose.lead + &prose.rest
    }

    #[test]
    fn what_stands_before_the_first_heading_is_the_lead() {
        let prose = render("Hej *du*\ndär.\n\n## Steg\n\n1. **Ett**\n2. Två\n\n- a\n- b  \n  c", 2);
        assert_eq!(prose.lead, "<p class=\"ds-paragraph\">Hej <em>du</em>\ndär.</p>");
        assert_eq!(
            prose.rest,
            "<h2 class=\"ds-heading\" data-size=\"md\">Steg</h2><ol class=\"ds-list\" start=\"1\"><li><strong>Ett</strong></li>\
             <li>Två</li></ol><ul class=\"ds-list\"><li>a</li><li>b<br>c</li></ul>"
        );
    }

    #[test]
    fn headings_keep_their_order_under_the_one_of_the_page() {
        let levels = |text: &str, top| -> Vec<u32> {
            let prose = render(text, top);
            let html = prose.lead + &prose.rest;
            html.split("<h").skip(1).filter_map(|part| part.chars().next()?.to_digit(10)).collect()
        };
        assert_eq!(levels("# A\n### B\n###### C\n# D\n## E\n", 2), [2, 3, 4, 2, 3]);
        assert_eq!(levels("### A\n# B\n## C\n", 2), [2, 2, 3]);
        assert_eq!(levels("# A\n## B\n### C\n#### D\n", 4), [4, 5, 6, 6]);
        assert_eq!(levels("1. ## In a list\n\n# A\n", 2), [2, 2]);
    }

    #[test]
    fn html_is_text() {
        for evil in [
            "<script>alert(1)</script>",
            "Hej <img src=x onerror=alert(1)> där",
            "<div onclick=\"x()\">\n\nHej\n\n</div>",
            "<!-- x --><style>*{display:none}</style>",
            "`<b>` och\n\n    <b>\n\n```html\n<b>\n```",
            "\\<b> &lt;b> &#60;b>",
            "# <script>x</script>",
            "<a href=\"javascript:x\">y</a>",
        ] {
            let html = html(evil);
            assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"), "{html}");
            assert_eq!(unknown(&html), Vec::<String>::new(), "{html}");
        }
        assert_eq!(html("a <b>c</b>"), "<p class=\"ds-paragraph\">a &#60;b&#62;c&#60;/b&#62;</p>");
    }

    #[test]
    fn links_lead_somewhere_harmless_or_nowhere() {
        for good in [
            "https://www.example.se/a?b=c&d=e",
            "HTTP://x.example",
            "mailto:a@b.example",
            "tel:+46771456000",
            "/tjanster#x",
        ] {
            assert!(html(&format!("[hit]({good})")).contains("<a class=\"ds-link\" href="), "{good}");
        }
        for evil in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#x0A;script:alert(1)",
            "&#1;javascript:alert(1)",
            "data:text/html;base64,PHM+",
            "vbscript:x",
            "//evil.example",
            "/\\evil.example",
            "/&#9;/evil.example",
            "\\\\evil.example",
            "evil.example",
            "<>",
            "#x",
            "file:///etc/passwd",
        ] {
            let html = html(&format!("[hit]({evil})"));
            assert!(!html.contains("<a") && html.contains("hit"), "{evil}: {html}");
        }
        let html =
            html("[a\"b](/x\"onmouseover=y 'titel') <a@b.example> <https://c.example> ![bild](/x.png)");
        assert_eq!(
            html,
            "<p class=\"ds-paragraph\"><a class=\"ds-link\" href=\"/x&#34;onmouseover=y\">a&#34;b</a> \
             <a class=\"ds-link\" href=\"mailto:a@b.example\">a@b.example</a> \
             <a class=\"ds-link\" href=\"https://c.example\">https://c.example</a> bild</p>"
        );
        assert!(!self::html("[x]\n\n[x]: javascript:y").contains("<a"));
    }

    #[test]
    fn nothing_lies_too_deep_and_all_that_opens_closes() {
        for part in ["> ", "- ", "1. ", "*a ", "**a ", "[", "![", "<", "`", "a\n\n> - 1. # *"] {
            let html = html(&format!("{}x", part.repeat(5_000)));
            assert_eq!(unknown(&html), Vec::<String>::new(), "{part}");
            let deepest = html.split('<').scan(0_usize, |depth, part| {
                let closes = part.starts_with('/');
                let opens = !closes && !part.is_empty() && !part.starts_with("br");
                *depth = *depth + usize::from(opens) - usize::from(closes);
                Some(*depth)
            });
            assert!(deepest.max().unwrap() <= 14, "{part}");
        }
        assert!(!html(&format!("{}x", "- ".repeat(100))).contains("<ul class=\"ds-list\"></ul>"));
    }

    /// What stands in the HTML and is no element that the writer knows, or is not closed as it was opened.
    fn unknown(html: &str) -> Vec<String> {
        let (mut open, mut wrong) = (Vec::new(), Vec::new());
        for part in html.split('<').skip(1) {
            let tag = part.split('>').next().unwrap();
            let name = tag.trim_start_matches('/').split(' ').next().unwrap();
            let known = ["p", "blockquote", "ul", "ol", "li", "em", "strong", "a", "code", "br"];
            let heading = name.len() == 2 && ("h2"..="h6").contains(&name);
            if !known.contains(&name) && !heading {
                wrong.push(tag.to_owned());
            } else if tag.starts_with('/') {
                if open.pop() != Some(name) {
                    wrong.push(tag.to_owned());
                }
            } else if name != "br" {
                open.push(name);
            }
        }
        wrong.extend(open.into_iter().map(ToOwned::to_owned));
        wrong
    }

    proptest! {
        #[test]
        fn any_text_becomes_html_that_is_known(text in r##"([-<>\[\]()*_#`!/:"'&; \n1.a]|javascript:|<script>|\PC){0,200}"##) {
            let html = html(&text);
            prop_assert_eq!(unknown(&html), Vec::<String>::new());
            prop_assert!(!html.to_lowercase().contains("href=\"javascript"));
        }
    }
}
