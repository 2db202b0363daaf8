//! Whoever has several roles may change them in one window while a form is open in another: nothing that was typed is lost.

use super::*;

/// Anna, who works at the centre and has cases of her own.
async fn anna<'a>(app: &'a TestApp, first: Role, others: &[Role]) -> Browser<'a> {
    let employers = Some(vec![EXEMPELVERKET.parse_number()]);
    let in_role = |role: &Role| Identity {
        employers: employers.clone().filter(|_| role.is_customer()),
        ..identity("anna", *role)
    };
    Browser::of_roles(app, in_role(&first), others.iter().map(in_role).collect()).await
}

/// Checks that a form was refused for the role alone, and changes to the role in which it was begun: what one comes to.
async fn back<'a>(browser: Browser<'a>, refused: &Page, now: &str, role: Role) -> (Browser<'a>, Page) {
    refused.shows(403, &format!("Du arbetar nu som {now}, och i den rollen kan formuläret inte skickas."));
    refused.shows(403, "Det du skrev är sparat.");
    assert!(!refused.says("arbetsgivares administratör"), "{}", refused.text());
    let links = refused.links("/roll?till=");
    let (browser, changed) = browser.in_role(&links[0], role).await;
    let page = browser.done(&changed).await;
    (browser, page)
}

#[tokio::test]
async fn what_an_officer_typed_is_kept_when_the_role_was_changed_in_another_window() {
    let app = TestApp::start().await;
    let case = format!("/arenden/{}", app.employee("bo").case("En faktura").await.id);
    let mut anna = anna(&app, Role::Officer, &[Role::Auditor, Role::Employee]).await;
    anna.done(&act(&anna, &case, "starta", &[]).await).await;
    for (what, field) in [("meddelande", "text"), ("svar", "answer"), ("anteckning", "text")] {
        for (role, now) in [(Role::Auditor, "Revisor"), (Role::Employee, "Anställd")] {
            let typed = format!("Annas egna ord som {now} i {what}");
            let open = anna.get(&case).await;
            // What was left last is found.
            app.pass(TimeDelta::seconds(1));
            let (other, _) = anna.in_role("/roll", role).await;
            let refused = other.submit(&open, &format!("{case}/{what}"), &[(field, &typed)]).await;
            let page;
            (anna, page) = back(other, &refused, now, Role::Officer).await;
            let form = page.form(&format!("{case}/{what}"));
            assert!(form.contains(&format!("{typed}</textarea>")), "{what} {now}: {}", page.text());
        }
    }
    let open = anna.get(PHONE).await;
    let (other, _) = anna.in_role("/roll", Role::Auditor).await;
    let refused = other.submit(&open, PHONE, &call("Dubbel faktura", EXEMPELVERKET)).await;
    let (_, page) = back(other, &refused, "Revisor", Role::Officer).await;
    assert!(page.form(PHONE).contains("Fakturan kom två gånger.</textarea>"), "{}", page.text());
}

#[tokio::test]
async fn what_somebody_typed_in_a_case_of_their_own_is_kept_when_the_role_was_changed_in_another_window() {
    let app = TestApp::start().await;
    let create = "/skapa-arende";
    let mut anna = anna(&app, Role::Employee, &[Role::Auditor, Role::Officer]).await;
    let filed = [("area", "ekonomi"), ("subject", "Omföring"), ("message", "Kan ni flytta posten?")];
    let sent = anna.submit(&anna.get(create).await, create, &filed).await;
    let case = anna.done(&sent).await.links("/arenden/")[0].clone();
    for (role, now) in [(Role::Auditor, "Revisor"), (Role::Officer, "Handläggare")] {
        for (address, action, field) in
            [(create, create.to_owned(), "message"), (&case, format!("{case}/meddelande"), "text")]
        {
            let typed = format!("Annas egna ord som {now}");
            let open = anna.get(address).await;
            let (other, _) = anna.in_role("/roll", role).await;
            let refused = other.submit(&open, &action, &[(field, &typed)]).await;
            let page;
            (anna, page) = back(other, &refused, now, Role::Employee).await;
            assert!(
                page.form(&action).contains(&format!("{typed}</textarea>")),
                "{action} {now}: {}",
                page.text()
            );
        }
    }
}

#[tokio::test]
async fn the_centres_own_people_are_not_sent_to_an_employers_administrator() {
    let app = TestApp::start().await;
    let auditor = auditor(&app).await;
    let refused = auditor.get(PHONE).await;
    refused.shows(403, "Du har inte behörighet att göra detta i din roll.");
    assert!(!refused.says("administratör"), "{}", refused.text());
    employee(&app, "bo").await.get(PHONE).await.shows(403, "Fråga din arbetsgivares administratör.");
}
