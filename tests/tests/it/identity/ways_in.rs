//! Whom a page leads to which login: that of the centre, that of the chosen employer, or the choice of one (K1).

use api::pages::cookies;
use domain::access::Role::{self, Archivist, Auditor, Employee, EmployerAdministrator, Officer};
use reqwest::Url;

use super::providers::Provider;
use super::visit::Visit;
use super::{BY_SECRET, place, settings, start};
use crate::support::{EXEMPELVERKET, TestApp, identity};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Centre,
    Employer,
    Choice,
}

/// Where a browser is led from a page, in which somebody was in a role until they logged out, and has chosen an employer.
async fn led(app: &TestApp, path: &str, was: Option<Role>, chosen: bool) -> Url {
    let mut visit = Visit::new(&app.url);
    if let Some(role) = was {
        let cookie = app.app.begin_session(identity("anna", role)).await.unwrap();
        app.app.end_session(&cookie).await.unwrap();
        visit = visit.with_cookie(cookies::SESSION, &cookie);
    }
    if chosen {
        visit = visit.with_cookie(cookies::EMPLOYER, EXEMPELVERKET);
    }
    let next = visit.get(path).await.next().unwrap();
    if next.path() != "/logga-in" {
        return next;
    }
    visit.page(visit.client.get(next)).await.next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_leads_to_the_login_of_those_whom_it_is_for() {
    use Way::{Centre, Choice, Employer};
    let hostile = Provider::hostile().await;
    let (listener, web) = place().await;
    let provider = |way: &str, more: &str| {
        settings(&format!("{}/{way}", hostile.address), &format!("{BY_SECRET}\n{more}"))
    };
    let providers = vec![
        provider("honest", "default = true"),
        provider("other", &format!("employers = ['{EXEMPELVERKET}']")),
    ];
    let app = start(listener, &web, providers).await;
    let case = "/arenden/0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f";
    for (path, was, chosen, way) in [
        // What is for the centre alone.
        ("/handlaggare", None, false, Centre),
        ("/handlaggare?status=all", Some(Employee), true, Centre),
        ("/revision", None, true, Centre),
        // What is for both: whoever was here before is led back, and else the chosen employer counts.
        ("/statistik", None, false, Centre),
        ("/statistik", None, true, Employer),
        ("/statistik", Some(Officer), true, Centre),
        ("/statistik", Some(EmployerAdministrator), true, Employer),
        ("/statistik?dagar=7", Some(EmployerAdministrator), false, Choice),
        ("/register", Some(Archivist), true, Centre),
        ("/register", None, true, Employer),
        // A link in a mail to a reporter: whoever is not known to be of the centre is at an employer.
        (case, None, false, Choice),
        (case, None, true, Employer),
        (case, Some(Officer), false, Centre),
        (case, Some(Officer), true, Centre),
        (case, Some(Employee), true, Employer),
        // What is for those at an employer alone.
        ("/mina-arenden", None, false, Choice),
        ("/mina-arenden", Some(Officer), true, Employer),
        ("/skapa-arende", Some(Auditor), false, Choice),
    ] {
        let next = led(&app, path, was, chosen).await;
        let found = match (next.path(), next.as_str().starts_with(&hostile.address)) {
            ("/valj-arbetsgivare", false) => Choice,
            ("/honest/authorize", true) => Centre,
            ("/other/authorize", true) => Employer,
            _ => panic!("{path} leads to {next}"),
        };
        assert_eq!(found, way, "{path}, was {was:?}, an employer chosen: {chosen}");
    }
}
