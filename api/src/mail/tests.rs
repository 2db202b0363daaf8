//! Every mail in both languages: the words, the headers, and that nothing else can stand in it.

use chrono::{DateTime, Utc};
use domain::PersonId;
use domain::vocabulary::Template;
use infrastructure::Keys;
use uuid::Uuid;

use super::*;
use crate::mail::message::{Heading, SUBJECT_MAX, build};

const LINK: &str = "https://kundwebb.example/arenden/018f3a00-0000-7000-8000-000000000001";

fn occasion(language: Language) -> Occasion {
    Occasion {
        language,
        number: CaseNumber::new(2026, 123),
        area: Area::Lon,
        received_at: at("2026-11-23T07:36:00Z"),
        due: Some("2026-12-01".parse().unwrap()),
        link: LINK.to_owned(),
        phone: "0771-456 000".to_owned(),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A mail's plain text with ordinary blanks.
fn plain(language: Language, template: Template) -> (String, String) {
    let letter = occasion(language).write(template).unwrap();
    (letter.subject, letter.text.replace('\u{a0}', " "))
}

/// What a reader of the HTML reads.
fn read(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1.split_once('>').unwrap().1;
    let (mut text, mut inside) = (String::new(), false);
    for character in body.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            _ if inside => {}
            other => text.push(other),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_receipt_in_swedish() {
    let (subject, text) = plain(Language::Sv, Template::Received);
    assert_eq!(subject, "Ärende 2026-000123-3: vi har tagit emot ditt ärende");
    assert_eq!(
        text,
        format!(
            "Hej!\n\nVi har tagit emot ditt ärende 2026-000123-3 inom området Lön. Det kom in 23 november 2026 \
             kl. 08.36.\n\nDu kan följa ärendet här: {LINK}\nDu får ett mejl när vi har svarat.\n\nDu kan inte svara \
             på det här mejlet. Vill du lägga till något gör du det i ärendet.\n\nStatens servicecenter, telefon \
             0771-456 000, vardagar kl. 08.00–16.30\n"
        )
    );
}

#[test]
fn the_receipt_in_english() {
    let (subject, text) = plain(Language::En, Template::Received);
    assert_eq!(subject, "Case 2026-000123-3: we have received your case");
    assert_eq!(
        text,
        format!(
            "Hello,\n\nWe have received your case 2026-000123-3 in the area Payroll (Lön). It arrived on 23 November 2026 at \
             08:36.\n\nYou can follow the case here: {LINK}\nWe will e-mail you when we have answered.\n\nYou cannot \
             reply to this e-mail. If you want to add something, do it in the case.\n\nStatens servicecenter, phone \
             0771-456 000, weekdays 08:00–16:30\n"
        )
    );
}

#[test]
fn information_is_requested_by_a_day() {
    let (subject, text) = plain(Language::Sv, Template::InformationRequested);
    assert_eq!(subject, "Ärende 2026-000123-3: vi behöver mer information");
    assert!(
        text.contains(
            "Vi behöver mer information för att kunna arbeta vidare med ditt ärende 2026-000123-3.\n"
        )
    );
    assert!(
        text.contains(&format!("Logga in och läs vad som saknas: {LINK}\nSvara senast 1 december 2026.\n"))
    );
    let (subject, text) = plain(Language::En, Template::InformationRequested);
    assert_eq!(subject, "Case 2026-000123-3: we need more information");
    assert!(text.contains("We need more information to continue with your case 2026-000123-3.\n"));
    assert!(
        text.contains(&format!("Log in to see what is missing: {LINK}\nPlease reply by 1 December 2026.\n"))
    );
}

#[test]
fn a_new_message_waits() {
    let (subject, text) = plain(Language::Sv, Template::NewMessage);
    assert_eq!(subject, "Ärende 2026-000123-3: du har ett nytt meddelande");
    assert!(text.contains("Det finns ett nytt meddelande i ditt ärende 2026-000123-3.\n"));
    assert!(text.contains(&format!("Logga in för att läsa det: {LINK}\n")));
    let (subject, text) = plain(Language::En, Template::NewMessage);
    assert_eq!(subject, "Case 2026-000123-3: you have a new message");
    assert!(text.contains("There is a new message in your case 2026-000123-3.\n"));
    assert!(text.contains(&format!("Log in to read it: {LINK}\n")));
}

#[test]
fn a_file_cannot_be_opened() {
    let (subject, text) = plain(Language::Sv, Template::FileStopped);
    assert_eq!(subject, "Ärende 2026-000123-3: en fil gick inte att ta emot");
    assert!(text.contains("En fil i ditt ärende 2026-000123-3 kan inte öppnas.\n"), "{text}");
    assert!(text.contains(&format!("Logga in för att se vilken fil det är och varför: {LINK}\n")), "{text}");
    let (subject, text) = plain(Language::En, Template::FileStopped);
    assert_eq!(subject, "Case 2026-000123-3: a file could not be accepted");
    assert!(text.contains("A file in your case 2026-000123-3 cannot be opened.\n"), "{text}");
    assert!(text.contains(&format!("Log in to see which file it is and why: {LINK}\n")), "{text}");
}

#[test]
fn a_case_is_closed() {
    let (subject, text) = plain(Language::Sv, Template::Closed);
    assert_eq!(subject, "Ärende 2026-000123-3: ditt ärende är avslutat");
    assert!(text.contains("Vi har avslutat ditt ärende 2026-000123-3.\n"));
    assert!(text.contains(&format!("Logga in för att läsa svaret: {LINK}\n")));
    assert!(text.contains("Stämmer det inte? Ring oss eller skapa ett nytt ärende och ange numret.\n"));
    let (subject, text) = plain(Language::En, Template::Closed);
    assert_eq!(subject, "Case 2026-000123-3: your case is closed");
    assert!(text.contains("We have closed your case 2026-000123-3.\n"));
    assert!(text.contains(&format!("Log in to read the answer: {LINK}\n")));
    assert!(text.contains("Is something not right? Call us or create a new case and quote the number.\n"));
}

#[test]
fn both_parts_say_the_same_and_nothing_is_fetched() {
    for (language, template) in all() {
        let letter = occasion(language).write(template).unwrap();
        let text: Vec<&str> = letter.text.split_whitespace().collect();
        assert_eq!(read(&letter.html), text.join(" "), "{language} {template}");
        assert!(letter.html.starts_with(&format!("<!DOCTYPE html>\n<html lang=\"{language}\">")));
        for word in ["<img", "<script", "src=", "url(", "<link"] {
            assert!(!letter.html.contains(word), "{language} {template}: {word}");
        }
    }
}

#[test]
fn every_mail_names_number_link_and_phone_and_its_subject_is_short() {
    for (language, template) in all() {
        let mut longest = occasion(language);
        longest.number = CaseNumber::new(2026, 9_999_999_999);
        let letter = longest.write(template).unwrap();
        assert!(letter.subject.chars().count() <= SUBJECT_MAX, "{}", letter.subject);
        assert!(!letter.subject.contains(char::is_control));
        for part in [&letter.text, &letter.html] {
            for fact in [longest.number.to_string().as_str(), LINK, "0771-456 000"] {
                assert!(part.contains(fact), "{language} {template}: {fact}");
            }
        }
    }
}

#[test]
fn the_message_is_the_same_each_time_and_says_that_a_machine_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(folder.path(), true).unwrap();
    let person = PersonId(Uuid::from_u128(7));
    let id = |event: &str| MessageId::new(&keys, event, person, "kundwebb.example");
    let heading = || Heading {
        from: "Kundwebben på SSC <kundwebb@kundwebb.example>".parse().unwrap(),
        to: "anna@myndighet.example".parse().unwrap(),
        id: id("case-2"),
        first: Some(id("case-1")),
        at: at("2026-11-23T07:36:00Z"),
        language: Language::Sv,
        delivery: Uuid::from_u128(9),
        file_name: "x.eml".to_owned(),
    };
    let message = || build(heading(), occasion(Language::Sv).write(Template::Closed).unwrap()).unwrap();
    assert_eq!(message().bytes, message().bytes);
    assert_eq!(message().envelope.from(), None);
    let text = String::from_utf8(message().bytes).unwrap();
    assert!(text.is_ascii());
    assert!(text.lines().all(|line| line.len() <= 998));
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    for header in [
        "To: anna@myndighet.example",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "Content-Language: sv",
        "Date: Mon, 23 Nov 2026 07:36:00 +0000",
        "MIME-Version: 1.0",
        &format!("Message-ID: <{}>", id("case-2").as_str()),
        &format!("In-Reply-To: <{}>", id("case-1").as_str()),
        &format!("References: <{}>", id("case-1").as_str()),
    ] {
        assert!(head.lines().any(|line| line == header), "{header} in\n{head}");
    }
    for name in ["List-", "Precedence", "Reply-To", "Return-Path"] {
        assert!(!head.lines().any(|line| line.starts_with(name)), "{name}");
    }
    assert!(head.contains("multipart/alternative"));
    let (plain, html) = (body.find("text/plain").unwrap(), body.find("text/html").unwrap());
    assert!(plain < html);
    assert_eq!(body.matches("Content-Transfer-Encoding: quoted-printable").count(), 2);
    let hash = id("case-2").as_str().strip_prefix("case-2.").unwrap().to_owned();
    assert_eq!(hash.len(), 16 + "@kundwebb.example".len());
    assert_ne!(
        id("case-2"),
        MessageId::new(&keys, "case-2", PersonId(Uuid::from_u128(8)), "kundwebb.example")
    );
}

#[test]
fn replies_are_kept_without_addresses() {
    let to = Some("anna.svensson@myndighet.example");
    for (reply, kept) in [
        ("550 5.1.1 <anna.svensson@myndighet.example>: no such user", "550 5.1.1 <…> no such user"),
        ("550 Anna.Svensson is unknown\r\nhere", "550 <…> is unknown here"),
        ("250 2.0.0 Ok: queued as 4F1", "250 2.0.0 Ok: queued as 4F1"),
    ] {
        assert_eq!(post::without_addresses(reply, to), kept);
    }
    assert_eq!(post::without_addresses(&"x".repeat(5000), to).len(), 300);
}

#[test]
fn a_wrong_setting_is_named() {
    let wrong = |change: fn(&mut crate::config::Mail)| {
        let mut config = crate::Config::default();
        change(&mut config.mail);
        format!("{:#}", Post::new(&config).unwrap_err())
    };
    assert!(wrong(|mail| mail.from = "Kundwebben".to_owned()).contains("mail.from"));
    assert!(wrong(|mail| mail.transport = "pigeon".to_owned()).contains("mail.transport"));
    let smtp = |change: fn(&mut crate::config::Mail)| {
        let mut config = crate::Config::default();
        config.mail.transport = "smtp".to_owned();
        change(&mut config.mail);
        format!("{:#}", Post::new(&config).unwrap_err())
    };
    assert!(smtp(|mail| mail.starttls = "always".to_owned()).contains("mail.starttls"));
    assert!(smtp(|mail| mail.user = Some("kundwebb".to_owned())).contains("mail.password"));
    assert!(smtp(|mail| mail.ca_file = Some("/nowhere.pem".into())).contains("mail.ca_file"));
    let open = smtp(|mail| {
        (mail.user, mail.password) =
            (Some("kundwebb".to_owned()), Some(crate::config::Secret("secret".to_owned())));
    });
    assert!(open.contains("required"));
}

/// The mails about cases.
fn all() -> impl Iterator<Item = (Language, Template)> {
    let templates = Template::ALL.iter().filter(|template| **template != Template::ServiceStatus);
    templates.flat_map(|template| Language::ALL.iter().map(|language| (*language, *template)))
}

#[test]
fn a_notice_says_the_same_in_both_parts_and_how_one_stops_it() {
    let news = service_status::News {
        language: Language::Sv,
        system: "Visma Proceedo".to_owned(),
        progress: "Planerat".to_owned(),
        title: "Stängt & låst <lördag>".to_owned(),
        period: "Från 28 november.".to_owned(),
        body: "Fakturor väntar.\nAlla.".to_owned(),
        advice: String::new(),
        next: "Nästa besked senast kl. 12.00".to_owned(),
        link: LINK.to_owned(),
        settings: "https://kundwebb.example/installningar".to_owned(),
        phone: "0771-456 000".to_owned(),
    };
    let letter = news.write().unwrap();
    assert_eq!(letter.subject, "Driftstatus: Visma Proceedo, Planerat");
    let text: Vec<&str> = letter.text.split_whitespace().collect();
    let html = read(&letter.html).replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&");
    assert_eq!(html, text.join(" "));
    let formatted = service_status::News { body: "Läs **mer** och <b>mer</b>.".to_owned(), ..news.clone() };
    assert!(formatted.write().unwrap().html.contains("Läs <strong>mer</strong> och &#60;b&#62;mer"));
    for words in ["Stängt & låst <lördag>", LINK, &news.settings, "följer Visma Proceedo", "kl. 12.00."] {
        assert!(letter.text.contains(words), "{words} in {}", letter.text);
    }
}
