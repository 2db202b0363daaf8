//! What was typed and attached is kept, whoever closes, logs out or logs in meanwhile.

use reqwest::{Method, StatusCode};

use super::*;
use crate::support::Done;

/// How many files a case may have is asked when it is sent: what is kept before is lost by none too many.
#[tokio::test]
async fn a_draft_may_have_more_files_than_can_be_sent() {
    let app = TestApp::start_with(|config| config.files.at_once = 1).await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let mut receipts = Vec::new();
    for name in ["ett.pdf", "tva.pdf"] {
        let row = anna.post_with_file("/skapa-arende/filer", &[], (name, PDF)).await.html;
        let (_, receipt) = row.split_once("name=\"receipt\" value=\"").unwrap();
        receipts.push(receipt.split('"').next().unwrap().to_owned());
    }
    let files = receipts.iter().map(|receipt| ("receipt", receipt.as_str()));
    let fields: Vec<_> = FILED.into_iter().chain([("action", "draft")]).chain(files).collect();
    assert!(anna.submit(&form, CREATE, &fields).await.html.contains("data-draft-saved"));
    let draft = anna.get(CREATE).await;
    draft.shows(200, "tva.pdf");
    anna.submit(&draft, CREATE, &[]).await.shows(422, "Du kan bifoga högst 1");
    app.leaves_staged(2);
}

/// Sending a form once more, changed, looks for its file again; the file is the case's for ever.
#[tokio::test]
async fn a_file_that_its_form_shows_again_after_it_was_sent_stays_with_its_case() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let hidden = form.hidden(CREATE);
    let attach = filled(&hidden, &[("action", "upload"), FILED[0]]);
    let page = anna.post_with_file(CREATE, &attach, ("brev.pdf", PDF)).await;
    let sent = anna.submit(&page, CREATE, &FILED).await;
    let receipt = anna.done(&sent).await;
    let back = anna.submit(&page, CREATE, &[FILED[0], ("subject", "Något annat"), FILED[2]]).await;
    back.shows(422, "Ärendet är redan skickat.");
    app.pass(TimeDelta::days(2));
    app.clean().await.unwrap();
    let case = receipt.links("/arenden/")[0].clone();
    let anna = employee(&app, "anna").await;
    let file = anna.get(&case).await.links(&format!("{case}/filer/"))[0].clone();
    assert_eq!((anna.get(&file).await.html.as_bytes(), app.objects()), (PDF, 1));
}

/// Whoever is logged in when a form is sent is not always who began it.
#[tokio::test]
async fn a_form_that_another_began_is_kept_for_that_other_and_done_in_nobodys_name() {
    let app = TestApp::start().await;
    let (anna, bertil) = (employee(&app, "anna").await, employee(&app, "bertil").await);
    let olle = Browser::of(&app, identity("olle", Role::Officer)).await;
    let form = anna.get(CREATE).await.hidden(CREATE);
    for other in [&bertil, &olle] {
        let away = other.post_with_file(CREATE, &filled(&form, &FILED), ("brev.pdf", PDF)).await;
        assert_eq!(away.path(), "/valj-arbetsgivare");
        assert!(!other.get("/skapa-arende").await.says("brev.pdf"));
    }
    bertil.get("/mina-arenden").await.shows(200, "Du har inga ärenden");
    let back = anna.get(CREATE).await;
    back.shows(200, "brev.pdf Bifogad");
    let sent = anna.submit(&back, CREATE, &FILED).await;
    let case = anna.done(&sent).await.links("/arenden/")[0].clone();
    // The same with a supplement, which an officer's session would even be allowed to send.
    let typed = anna.get(&case).await.hidden(&format!("{case}/meddelande"));
    let more = filled(&typed, &[("text", "Annas egna ord.")]);
    for other in [&bertil, &olle] {
        assert_eq!(other.post(&format!("{case}/meddelande"), &more).await.path(), "/valj-arbetsgivare");
    }
    let back = anna.get(&case).await;
    assert!(back.html.contains("Annas egna ord.</textarea>") && app.head().await > 0);
    app.leaves_staged(app.staged());
}

/// A case that was closed while its form stood open: its address, and the form's hidden fields.
async fn closed_meanwhile(app: &TestApp, anna: &Browser<'_>) -> (String, Vec<(String, String)>) {
    let case = file_case(anna, &FILED).await.links("/arenden/")[0].clone();
    let form = anna.get(&case).await.hidden(&format!("{case}/meddelande"));
    let olle = app.officer("olle");
    let id = case.strip_prefix("/arenden/").unwrap();
    let filed =
        Done { id: id.to_owned(), number: String::new(), version: 1, status: String::new(), position: 0 };
    let done = olle.start_processing(&filed).await;
    let closed = olle.change(&done, "close", &json!({"answer": "Klart."})).await;
    app.app.shown_position(closed.position).await.unwrap();
    (case, form)
}

/// It waits for a case of its own.
#[tokio::test]
async fn what_a_closed_case_cannot_take_is_kept_until_it_is_thrown_away() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (case, form) = closed_meanwhile(&app, &anna).await;
    let message = format!("{case}/meddelande");
    let typed = filled(&form, &[("text", "En sak till."), ("action", "send")]);
    let refused = anna.post(&message, &typed).await;
    refused.shows(409, "Ditt utkast finns kvar här och är inte skickat. En sak till.");
    let later = anna.get(&case).await;
    later.shows(200, "Ditt utkast finns kvar här och är inte skickat. En sak till.");
    let form = later.hidden(CREATE);
    let thrown = anna.post(&message, &filled(&form, &[("action", "discard")])).await;
    let thrown = anna.done(&thrown).await;
    thrown.shows(200, "Utkastet är borttaget");
    assert!(!thrown.says("En sak till."), "{}", thrown.text());
}

#[tokio::test]
async fn what_was_typed_when_a_case_was_closed_becomes_a_new_case() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (case, form) = closed_meanwhile(&app, &anna).await;
    let typed = filled(&form, &[("text", "En sak till."), ("action", "send")]);
    let refused = anna.post_with_file(&format!("{case}/meddelande"), &typed, ("mer.pdf", PDF)).await;
    refused.shows(409, "Ditt utkast finns kvar här och är inte skickat.");
    assert!(refused.says("En sak till.") && refused.says("mer.pdf"));
    let later = employee(&app, "anna").await.get(&case).await;
    assert!(later.says("En sak till.") && later.says("mer.pdf"), "{}", later.text());
    let new = anna.submit(&refused, CREATE, &[("action", "upload")]).await;
    new.shows(200, "mer.pdf Bifogad");
    assert!(new.html.contains("En sak till.</textarea>"));
    assert!(new.html.contains("value=\"ekonomi\" checked"), "{}", new.html);
    let sent = anna.submit(&new, CREATE, &[FILED[0], FILED[1], ("message", "En sak till.")]).await;
    anna.done(&sent).await.shows(200, "Bilagor mer.pdf");
}

#[tokio::test]
async fn a_draft_is_found_though_another_was_kept_later_and_after_a_weekend() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let case = file_case(&anna, &FILED).await.links("/arenden/")[0].clone();
    let create = anna.get(CREATE).await;
    let supplement = anna.get(&case).await;
    app.pass(TimeDelta::hours(64));
    app.clean().await.unwrap();
    anna.submit(&create, CREATE, &[FILED[0], ("subject", "Från i fredags"), FILED[2]]).await;
    app.pass(TimeDelta::minutes(1));
    anna.submit(&supplement, &format!("{case}/meddelande"), &[("text", "Också från i fredags")]).await;
    let anna = employee(&app, "anna").await;
    assert!(anna.get(CREATE).await.html.contains("value=\"Från i fredags\""));
    assert!(anna.get(&case).await.html.contains("Också från i fredags</textarea>"));
}

/// As when it expires: another window may still hold a form.
#[tokio::test]
async fn logging_out_in_one_window_keeps_the_form_of_another_and_opens_nothing() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let out = anna.post("/logga-ut", &[]).await;
    anna.done(&out).await.shows(200, "Du är utloggad.");
    assert!(!employee(&app, "anna").await.done(&out).await.says("Du är utloggad."));
    assert_eq!(anna.get("/mina-arenden").await.path(), "/valj-arbetsgivare");
    let away = anna.post_with_file(CREATE, &filled(&form.hidden(CREATE), &FILED), ("a.pdf", PDF)).await;
    assert_eq!(away.path(), "/valj-arbetsgivare");
    assert!(!employee(&app, "bertil").await.get(CREATE).await.says("a.pdf"));
    let back = employee(&app, "anna").await.get(CREATE).await;
    back.shows(200, "a.pdf Bifogad");
    assert!(back.html.contains("value=\"Omföring mellan projekt\""));
    app.leaves_staged(1);
}

/// Each window had a form of its own, for there was no draft when they were opened.
#[tokio::test]
async fn the_same_words_from_two_windows_are_one_case_unless_they_are_sent_once_more() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (one, other) = (anna.get(CREATE).await, anna.get(CREATE).await);
    let receipt = anna.done(&anna.submit(&one, CREATE, &FILED).await).await;
    let told = anna.submit(&other, CREATE, &FILED).await;
    let words = format!(
        "Ärendet är redan skickat. Ditt ärendenummer är {}. Skicka en gång till om det ska bli ett nytt ärende.",
        number(&receipt)
    );
    told.shows(422, &words);
    anna.get("/mina-arenden").await.shows(200, "1–1 av 1 ärenden");
    anna.done(&anna.submit(&told, CREATE, &FILED).await).await.shows(200, "Omföring mellan projekt");
    anna.get("/mina-arenden").await.shows(200, "1–2 av 2 ärenden");
    // Other words are another case, and so are the same words of somebody else, and on another day.
    let changed = [FILED[0], FILED[1], ("message", "Något annat.")];
    file_case(&anna, &changed).await.shows(200, "Omföring mellan projekt");
    let bertil = employee(&app, "bertil").await;
    file_case(&bertil, &FILED).await.shows(200, "Omföring mellan projekt");
    app.pass(TimeDelta::hours(25));
    let anna = employee(&app, "anna").await;
    file_case(&anna, &FILED).await.shows(200, "Omföring mellan projekt");
}

/// As the script does it, when the writer has paused or leaves.
#[tokio::test]
async fn a_message_is_kept_by_itself_until_it_is_sent_or_thrown_away() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let case = file_case(&anna, &FILED).await.links("/arenden/")[0].clone();
    let message = format!("{case}/meddelande");
    let page = anna.get(&case).await;
    let typed = |action| [("text", "En sak till."), ("action", action)];
    let kept = anna.submit(&page, &message, &typed("draft")).await;
    kept.shows(200, "Ditt utkast finns kvar här och är inte skickat.");
    let again = anna.get(&case).await;
    assert!(again.html.contains("En sak till.</textarea>"));
    assert!(!employee(&app, "bertil").await.get(&case).await.says("En sak till."));
    let gone = anna.done(&anna.submit(&again, &message, &typed("discard")).await).await;
    assert!(!gone.says("Ditt utkast finns kvar") && !gone.html.contains("En sak till."));
    let sent = anna.submit(&gone, &message, &typed("send")).await;
    anna.done(&sent).await.shows(200, "En sak till.");
    // What a script sends late is no draft of what was sent; what is written on is another message.
    anna.submit(&gone, &message, &typed("draft")).await;
    assert!(!anna.get(&case).await.html.contains("En sak till.</textarea>"));
    let more = [("text", "En sak till, och en.")];
    let apart = anna.submit(&gone, &message, &[more[0], ("action", "draft")]).await;
    apart.shows(200, "Utkastet är redan skickat.");
    anna.done(&anna.submit(&apart, &message, &more).await).await.shows(200, "En sak till, och en.");
}

#[tokio::test]
async fn a_mail_is_promised_only_where_it_is_wanted() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let case = file_case(&anna, &FILED).await.links("/arenden/")[0].clone();
    let words = "Du får ett mejl när vi har svarat eller behöver veta mer.";
    anna.get(&case).await.shows(200, words);
    let form = anna.get("/installningar").await;
    let sent = anna.submit(&form, "/installningar", &[("mail-new-message", "yes")]).await;
    anna.done(&sent).await;
    assert!(!anna.get(&case).await.says(words));
}

/// The same draft is open in two windows, and changed in both.
#[tokio::test]
async fn no_window_writes_over_what_another_has_kept() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let keep = async |page: &Page, text: &'static str| {
        app.pass(TimeDelta::seconds(1));
        anna.submit(page, CREATE, &[FILED[0], ("message", text), ("action", "draft")]).await
    };
    let first = anna.get(CREATE).await;
    keep(&first, "Början.").await;
    let (one, other) = (anna.get(CREATE).await, anna.get(CREATE).await);
    let saved = keep(&one, "Den ena.").await;
    let apart = "Samma utkast har ändrats i ett annat fönster. Det du skriver här sparas för sig.";
    assert!(!saved.says(apart));
    let kept = keep(&other, "Den andra.").await;
    kept.shows(200, apart);
    // The first goes on with its own.
    assert!(!keep(&saved, "Den ena igen.").await.says(apart));
    assert!(!keep(&kept, "Den andra igen.").await.says(apart));
    for text in ["Den andra igen.", "Den ena igen."] {
        let page = anna.get(CREATE).await;
        assert!(page.html.contains(&format!("{text}</textarea>")), "{text}: {}", page.text());
        anna.submit(&page, CREATE, &[("action", "discard")]).await;
    }
    assert!(!anna.get(CREATE).await.html.contains("igen.</textarea>"));
}

/// Kept some days ago, it says so, and how long it is kept still.
#[tokio::test]
async fn a_draft_tells_when_it_was_kept() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    anna.submit(&form, CREATE, &[FILED[1], ("action", "draft")]).await;
    app.pass(TimeDelta::days(10));
    let anna = employee(&app, "anna").await;
    let words = "Utkastet sparades 23 november 2026 kl. 09.36. Det finns kvar i 20 dagar.";
    anna.get(CREATE).await.shows(200, words);
}

/// What a script keeps twice, at a pause and on leaving, may come once more after the page that shows it: it is the same.
#[tokio::test]
async fn what_is_kept_once_more_unchanged_is_not_another_s() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let keep = [FILED[0], FILED[1], FILED[2], ("action", "draft")];
    let left = anna.get(CREATE).await;
    let (kept, late) = (anna.submit(&left, CREATE, &keep).await, left);
    let shown = anna.get(CREATE).await;
    assert!(kept.says("Utkastet är sparat") && shown.html.contains(FILED[1].1));
    anna.submit(&late, CREATE, &keep).await;
    assert!(!anna.submit(&shown, CREATE, &keep).await.says("i ett annat fönster"));
    anna.submit(&late, CREATE, &keep).await;
    anna.done(&anna.submit(&shown, CREATE, &FILED).await).await.shows(200, "Vi har tagit emot ditt ärende");
    assert!(!anna.get("/mina-arenden").await.says("Du har ett utkast"));
}

/// What a script keeps at a pause may come after what it keeps on leaving.
#[tokio::test]
async fn what_a_window_has_kept_later_stays() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let keep = async |text: &'static str, turn: &'static str| {
        let fields = [FILED[0], ("message", text), ("action", "draft"), ("turn", turn)];
        anna.submit(&form, CREATE, &fields).await;
        anna.get(CREATE).await.html.contains(&format!("{text}</textarea>"))
    };
    assert!(keep("Ett. Två.", "2").await);
    assert!(!keep("Ett.", "1").await);
    assert!(keep("Ett. Två. Tre.", "3").await);
    // By the button it is what one sees.
    assert!(keep("Knapp.", "").await && keep("Vidare.", "4").await);
    // A form that is shown again is counted from its beginning, and is nobody else's.
    let fifth = [FILED[0], ("message", "Fem."), ("action", "draft"), ("turn", "5")];
    let kept = anna.submit(&form, CREATE, &fifth).await;
    let refused = anna.submit(&kept, CREATE, &[FILED[0], ("message", "Fem. Sex.")]).await;
    let fields = [FILED[0], ("message", "Fem. Sex. Sju."), ("action", "draft"), ("turn", "1")];
    assert!(!anna.submit(&refused, CREATE, &fields).await.says("i ett annat fönster"));
    assert!(anna.get(CREATE).await.html.contains("Sju.</textarea>"));
}

/// What a page kept when it was left may come after what was sent or thrown away when one was back; what is typed after that
/// is a draft.
#[tokio::test]
async fn what_a_window_has_kept_before_it_was_done_is_no_draft() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    for done in ["send", "discard"] {
        let form = anna.get(CREATE).await;
        let keep = async |turn: &'static str| {
            let fields =
                [FILED[0], ("subject", done), ("message", "Ett."), ("action", "draft"), ("turn", turn)];
            let says_so = anna.submit(&form, CREATE, &fields).await.html.contains("data-draft-saved");
            assert_eq!(says_so, anna.get("/mina-arenden").await.says("utkast"));
            says_so
        };
        assert!(keep("1").await);
        let more = [FILED[0], ("subject", done), ("message", "Ett. Två."), ("action", done), ("turn", "3")];
        anna.done(&anna.submit(&form, CREATE, &more).await).await;
        assert!(!keep("2").await, "{done}");
        assert!(keep("4").await, "{done}");
        assert!(keep("4").await, "{done}: the same once more");
        let own = anna.get(CREATE).await;
        anna.done(&anna.submit(&own, CREATE, &[("action", "discard")]).await).await;
    }
}

/// What a window has kept early and comes late is no second draft, though another window has gone on with it since.
#[tokio::test]
async fn what_comes_late_is_late_also_where_another_window_has_gone_on() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let first = anna.get(CREATE).await;
    let keep = async |form: &Page, text: &'static str, turn: &'static str| {
        anna.submit(form, CREATE, &[FILED[0], ("message", text), ("action", "draft"), ("turn", turn)]).await;
    };
    keep(&first, "Ett.", "2").await;
    let second = anna.get(CREATE).await;
    keep(&second, "Ett. Två.", "1").await;
    keep(&first, "E", "1").await;
    let drafts = anna.get(CREATE).await;
    assert!(drafts.html.contains("Ett. Två.</textarea>"));
    anna.submit(&drafts, CREATE, &[("action", "discard")]).await;
    assert!(!anna.get("/mina-arenden").await.says("utkast"));
}

/// When a session has ended, what is kept writes over nothing either, and is no draft of what was sent.
#[tokio::test]
async fn what_is_kept_after_a_session_writes_over_nothing() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let keep = |text: &'static str, turn: &'static str| {
        [FILED[0], FILED[1], ("message", text), ("action", "draft"), ("turn", turn)]
    };
    let first = anna.get(CREATE).await;
    anna.submit(&first, CREATE, &keep("Ett.", "1")).await;
    let second = anna.get(CREATE).await;
    anna.submit(&second, CREATE, &keep("Ett. Viktigt.", "1")).await;
    let sent = employee(&app, "anna").await;
    anna.post("/logga-ut", &[]).await;
    anna.submit(&first, CREATE, &keep("Ett. Annat.", "2")).await;
    // Two drafts of one moment, in either order.
    let mut shown = [false; 2];
    for _ in shown {
        let page = sent.get(CREATE).await;
        let texts =
            ["Ett. Annat.", "Ett. Viktigt."].map(|text| page.html.contains(&format!("{text}</textarea>")));
        shown = [shown[0] || texts[0], shown[1] || texts[1]];
        sent.submit(&page, CREATE, &[("action", "discard")]).await;
    }
    assert_eq!(shown, [true; 2]);
    anna.submit(&second, CREATE, &keep("Ett. Viktigt.", "2")).await;
    let done = [FILED[0], FILED[1], ("message", "Ett. Viktigt."), ("turn", "3")];
    sent.done(&sent.submit(&second, CREATE, &done).await).await;
    anna.submit(&second, CREATE, &keep("Ett.", "1")).await;
    assert!(!sent.get("/mina-arenden").await.says("utkast"));
}

/// What a browser shows again may lack something of what was sent; without an answer it is no draft all the same.
#[tokio::test]
async fn what_may_have_been_sent_is_kept_only_if_it_was_not() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let keep = async || {
        let less = [FILED[0], FILED[1], ("message", ""), ("unanswered", "yes"), ("action", "draft")];
        anna.submit(&form, CREATE, &less).await;
        anna.get("/mina-arenden").await.says("utkast")
    };
    assert!(keep().await);
    anna.done(&anna.submit(&form, CREATE, &FILED).await).await;
    assert!(!keep().await);
}

/// A window that is a draft's second is told of its own draft when the first of its keepings is answered; others may be on
/// the way by then.
#[tokio::test]
async fn what_a_second_window_keeps_before_it_is_answered_is_one_draft() {
    let app = TestApp::start().await;
    for (person, first, then) in [("anna", "1", "2"), ("bertil", "2", "1")] {
        let anna = employee(&app, person).await;
        anna.submit(&anna.get(CREATE).await, CREATE, &[FILED[0], FILED[1], ("action", "draft")]).await;
        let (one, two) = (anna.get(CREATE).await, anna.get(CREATE).await);
        let keep = async |window, message, turn| {
            let kept = [FILED[0], FILED[1], ("message", message), ("turn", turn), ("action", "draft")];
            anna.submit(window, CREATE, &kept).await
        };
        keep(&one, "Här.", "1").await;
        let text = |turn| if turn == "1" { "Där." } else { "Där. Mer." };
        let kept = [keep(&two, text(first), first).await, keep(&two, text(then), then).await];
        let newest = kept.iter().find(|page| page.html.contains("Där. Mer.</textarea>")).unwrap();
        newest.shows(200, "i ett annat fönster");
        anna.get("/mina-arenden").await.shows(200, "Du har 2 utkast");
        let send = [FILED[0], FILED[1], ("message", "Där. Mer.")];
        anna.done(&anna.submit(newest, CREATE, &send).await).await;
        anna.done(&anna.submit(&one, CREATE, &[FILED[0], FILED[1], ("message", "Här.")]).await).await;
        assert!(!anna.get("/mina-arenden").await.says("utkast"));
    }
}

/// What was written meanwhile in another window is neither sent nor lost with what one window shows and sends.
#[tokio::test]
async fn sending_from_one_window_leaves_what_another_has_kept() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let begun = anna
        .submit(&anna.get(CREATE).await, CREATE, &[FILED[0], FILED[1], FILED[2], ("action", "draft")])
        .await;
    let other = anna.get(CREATE).await;
    let longer = [FILED[0], FILED[1], ("message", "Mycket mer."), ("action", "draft")];
    let kept = anna.submit(&begun, CREATE, &longer).await;
    let receipt = anna.done(&anna.submit(&other, CREATE, &FILED).await).await;
    receipt.shows(200, "Vi har tagit emot ditt ärende");
    assert!(anna.get(CREATE).await.html.contains("Mycket mer.</textarea>"));
    // Going on there is kept, too, for it is not what was sent; and what was sent is no draft.
    let more = [FILED[0], FILED[1], ("message", "Mycket mer. Och mer."), ("action", "draft")];
    let apart = anna.submit(&kept, CREATE, &more).await;
    apart.shows(200, "Utkastet är redan skickat. Det du skriver nu sparas som ett nytt utkast.");
    assert!(apart.html.contains("Och mer.</textarea>"));
    anna.get("/mina-arenden").await.shows(200, "Du har ett utkast som inte är skickat.");
    let late = [FILED[0], FILED[1], FILED[2], ("action", "draft")];
    assert!(!anna.submit(&other, CREATE, &late).await.says("Utkastet är sparat"));
    anna.get("/mina-arenden").await.shows(200, "Du har ett utkast som inte är skickat.");
}

/// What [`FILED`] says, to be kept.
const FILED_AS_DRAFT: [(&str, &str); 4] = [FILED[0], FILED[1], FILED[2], ("action", "draft")];

/// The same draft, with its file, is open in two windows; one is sent, with the file.
async fn sent_from_another_window(anna: &Browser<'_>, text: &'static str) -> Page {
    let form = anna.get(CREATE).await.hidden(CREATE);
    let begun = filled(&form, &[FILED[0], FILED[1], ("action", "draft")]);
    let begun = anna.post_with_file(CREATE, &begun, ("brev.pdf", PDF)).await;
    let other = anna.get(CREATE).await;
    other.shows(200, "brev.pdf Bifogad");
    let kept =
        anna.submit(&other, CREATE, &[FILED[0], FILED[1], ("message", text), ("action", "draft")]).await;
    anna.done(&anna.submit(&begun, CREATE, &FILED).await).await.shows(200, "Bilagor brev.pdf");
    kept
}

#[tokio::test]
async fn a_file_that_another_window_has_sent_is_no_file_of_a_draft() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let kept = sent_from_another_window(&anna, "Mer.").await;
    let words = "brev.pdf är redan skickad. Bifoga filen igen om den ska med här också.";
    let shown = anna.get(CREATE).await;
    shown.shows(200, words);
    assert!(!shown.says("brev.pdf Bifogad"));
    let more = [FILED[0], FILED[1], ("message", "Mer och mer.")];
    let apart = anna.submit(&kept, CREATE, &[&more[..], &[("action", "draft")]].concat()).await;
    apart.shows(200, "Utkastet är redan skickat.");
    apart.shows(200, words);
    assert!(!apart.says("brev.pdf Bifogad") && !anna.get(CREATE).await.says("brev.pdf"));
    anna.done(&anna.submit(&apart, CREATE, &more).await).await;
    assert!(!anna.get("/mina-arenden").await.says("utkast"));
}

#[tokio::test]
async fn what_is_sent_once_more_after_another_window_leaves_no_draft() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let kept = sent_from_another_window(&anna, "Mer.").await;
    let more = [FILED[0], FILED[1], ("message", "Mer.")];
    let told = anna.submit(&kept, CREATE, &more).await;
    told.shows(422, "Ärendet är redan skickat.");
    told.shows(422, "brev.pdf är redan skickad.");
    assert!(!told.says("brev.pdf Bifogad"));
    let case = anna.done(&anna.submit(&told, CREATE, &more).await).await.links("/arenden/")[0].clone();
    assert!(!anna.get("/mina-arenden").await.says("utkast"));
    // And so it is with a message.
    let message = format!("{case}/meddelande");
    let typed = |text| [("text", text), ("action", "draft")];
    let begun = anna.submit(&anna.get(&case).await, &message, &typed("Ett.")).await;
    let other = anna.submit(&anna.get(&case).await, &message, &typed("Ett och två.")).await;
    anna.done(&anna.submit(&begun, &message, &[("text", "Ett.")]).await).await;
    let told = anna.submit(&other, &message, &[("text", "Ett och två.")]).await;
    told.shows(422, "Formuläret är redan skickat en gång.");
    let sent = anna.done(&anna.submit(&told, &message, &[("text", "Ett och två.")]).await).await;
    sent.shows(200, "Ett och två.");
    assert!(!sent.html.contains("Ett och två.</textarea>") && !sent.says("inte skickat"));
}

/// Somebody has only added a file, and says once that it is to be another case.
#[tokio::test]
async fn who_sends_the_same_words_once_more_is_asked_once() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let begun = anna.submit(&anna.get(CREATE).await, CREATE, &FILED_AS_DRAFT).await;
    let other = anna.get(CREATE).await;
    anna.done(&anna.submit(&begun, CREATE, &FILED).await).await;
    let fields = other.hidden(CREATE);
    let told = anna.post_with_file(CREATE, &filled(&fields, &FILED), ("mer.pdf", PDF)).await;
    told.shows(422, "Ärendet är redan skickat.");
    anna.done(&anna.submit(&told, CREATE, &FILED).await).await.shows(200, "Bilagor mer.pdf");
    assert!(!anna.get("/mina-arenden").await.says("utkast"));
}

/// Each window has a draft of its own by now; both had the file.
#[tokio::test]
async fn a_file_that_went_with_another_draft_is_told_and_the_rest_can_be_sent() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let draft = |text| [FILED[0], FILED[1], ("message", text), ("action", "draft")];
    let form = anna.get(CREATE).await.hidden(CREATE);
    let begun = anna.post_with_file(CREATE, &filled(&form, &draft("Ett.")), ("brev.pdf", PDF)).await;
    let other = anna.get(CREATE).await;
    let begun = anna.submit(&begun, CREATE, &draft("Ett och två.")).await;
    let apart = anna.submit(&other, CREATE, &draft("Tre.")).await;
    apart.shows(200, "Samma utkast har ändrats i ett annat fönster.");
    anna.done(&anna.submit(&begun, CREATE, &FILED).await).await;
    // A browser that keeps it is told, too.
    let fields = apart.hidden(CREATE);
    let fields = filled(&fields, &draft("Tre."));
    let request = anna.request(Method::POST, CREATE).header("sec-fetch-mode", "navigate").form(&fields);
    let kept = request.send().await.unwrap();
    assert_eq!(kept.status(), StatusCode::OK);
    assert!(kept.text().await.unwrap().contains("brev.pdf är redan skickad."));
    let mine = [FILED[0], FILED[1], ("message", "Tre.")];
    let told = anna.submit(&apart, CREATE, &mine).await;
    told.shows(422, "brev.pdf är redan skickad.");
    assert!(!told.says("brev.pdf Bifogad") && !told.says("En fil finns inte kvar"));
    anna.done(&anna.submit(&told, CREATE, &mine).await).await.shows(200, "Vi har tagit emot ditt ärende");
}

#[tokio::test]
async fn who_throws_a_draft_away_is_told_and_what_is_shown_then() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let draft = |text| [FILED[0], ("message", text), ("action", "draft")];
    anna.submit(&anna.get(CREATE).await, CREATE, &draft("Ett.")).await;
    let (one, other) = (anna.get(CREATE).await, anna.get(CREATE).await);
    anna.submit(&one, CREATE, &draft("Två.")).await;
    let apart = anna.submit(&other, CREATE, &draft("Tre.")).await;
    let gone = anna.done(&anna.submit(&apart, CREATE, &[("action", "discard")]).await).await;
    gone.shows(200, "Utkastet är borttaget. Här är ett annat utkast, som inte är skickat.");
    let gone = anna.done(&anna.submit(&gone, CREATE, &[("action", "discard")]).await).await;
    gone.shows(200, "Utkastet är borttaget.");
    assert!(!gone.says("Här är ett annat utkast"));
}

/// A browser that goes to what it has sent asks, when one comes back, whether it is to send that again.
#[tokio::test]
async fn a_browser_that_keeps_a_draft_is_led_to_its_page_and_the_script_is_not() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await.hidden(CREATE);
    let fields = filled(&form, &[FILED[0], FILED[1], ("action", "draft")]);
    for (mode, status) in [("navigate", StatusCode::SEE_OTHER), ("cors", StatusCode::OK)] {
        let request = anna.request(Method::POST, CREATE).header("sec-fetch-mode", mode).form(&fields);
        assert_eq!(request.send().await.unwrap().status(), status, "{mode}");
    }
    anna.get(CREATE).await.shows(200, "Utkastet är sparat kl.");
}
