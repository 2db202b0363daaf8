//! The whole life of a case over the API.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_case_from_question_to_answer() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("Fakturan").await;
    assert_eq!((case.number.as_str(), case.version, case.status.as_str()), ("2026-000001-1", 1, "received"));
    let case = olle.start_processing(&case).await;
    let asked = json!({"text": "Vilket belopp?", "dueDate": "2026-12-01"});
    let case = olle.change(&case, "request-information", &asked).await;
    let case = anna.message(&case, "Det är 100 kronor.").await;
    let case = olle.close(&case, "Fakturan är betald.").await;
    assert_eq!((case.version, case.status.as_str()), (5, "closed"));
    let read = anna.read(&case.id).await;
    assert_eq!(read["answer"], "Fakturan är betald.");
    assert_eq!(read["statusLabel"], "Avslutat");
    assert_eq!(read["messages"][1]["from"], "customer");
    assert_eq!(anna.list("").await, [case.number]);
}
