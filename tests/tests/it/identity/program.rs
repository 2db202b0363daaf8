//! The real program with settings of logins: it serves the employers that they name, and `kundwebb check` says in words
//! what is wrong.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::redirect::Policy;
use tests::nodes::clock;

use api::pages::cookies;
use cluster::Cluster;

use super::{BY_SECRET, MY_CASES};
use crate::identity::providers::Provider;
use crate::identity::visit::Visit;
use crate::program::{PATIENCE, binary, words};
use crate::support::EXEMPELVERKET;

/// Settings in a file, with one provider and two employers.
fn written(folder: &Path, issuer: &str) -> String {
    let file = folder.join("kundwebb.toml");
    let toml = format!(
        "[[employers]]\nnumber = '402100-0007'\nname_sv = 'Ekverket'\nname_en = 'Oak Agency'\n\
         [[employers]]\nnumber = '402101-0006'\nname_sv = 'Alverket'\nname_en = 'Alder Agency'\nareas = ['lon']\n\
         [[identity_providers]]\nissuer = '{issuer}'\n{BY_SECRET}\ndefault = true\n\
         employers = ['402100-0007', '402101-0006']\nclaims = {{ organisation_number = 'org' }}\n"
    );
    std::fs::write(&file, toml).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The program, running. When it is dropped, it is killed.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it and gives its address.
async fn serve(data: &Path, config: &str) -> (Serving, String) {
    let served = try_serve(data, &["--config", config]).await;
    served.unwrap_or_else(|said| panic!("it ended: {said}"))
}

/// Starts it and gives its address; what it said, where it ends.
async fn try_serve(data: &Path, flags: &[&str]) -> Result<(Serving, String), String> {
    let mut command = Command::new(binary());
    command.arg("serve").args(flags).args(["--listen", "127.0.0.1:0", "--data"]).arg(data);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let (ready, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let (mut all, mut ready) = (String::new(), Some(ready));
        for line in said.lines().map_while(Result::ok) {
            let address = line.strip_prefix("Kundwebb is ready: ");
            if let Some((address, ready)) = address.and_then(|address| Some((address, ready.take()?))) {
                let _ = ready.send(Ok(address.to_owned()));
            }
            all = format!("{all}\n{line}");
        }
        if let Some(ready) = ready {
            let _ = ready.send(Err(all));
        }
    });
    let address = tokio::time::timeout(PATIENCE, wait).await.expect("it does not get ready").unwrap();
    let serving = Serving(child);
    Ok((serving, address?))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_the_employers_of_its_settings_and_leads_to_their_login() {
    let hostile = Provider::hostile().await;
    let folder = tempfile::tempdir().unwrap();
    let config = written(folder.path(), &format!("{}/honest", hostile.address));
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    for again in [false, true] {
        let (_serving, web) = serve(&data, &config).await;
        let page = client.get(format!("{web}/valj-arbetsgivare")).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("Ekverket") && page.contains("Alverket"), "{again}: {page}");
        let away = client.get(format!("{web}/logga-in?till=/handlaggare")).send().await.unwrap();
        let next = away.headers()["location"].to_str().unwrap().to_owned();
        assert!(next.starts_with(&format!("{}/honest/authorize?", hostile.address)), "{next}");
        let demo = client.post(format!("{web}/logga-in")).form(&[("person", "anna.exempelsson")]).send();
        assert_eq!(demo.await.unwrap().status(), 404, "nobody chooses who to be");
    }
    // They were registered once.
    let log = rusqlite::Connection::open(data.join("log.db")).unwrap();
    let sql = "SELECT count(*) FROM event WHERE type = 'EmployerRegistered'";
    assert_eq!(log.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_in_words_what_is_wrong_with_the_logins() {
    let hostile = Provider::hostile().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let said = |way: &str, change: &dyn Fn(&mut Command)| {
        let config = written(folder.path(), &format!("{}/{way}", hostile.address));
        let mut command = Command::new(binary());
        command.args(["check", "--config", &config, "--data"]).arg(&data);
        change(&mut command);
        let said = words(&command.output().unwrap());
        let line = said.lines().find(|line| line.contains("logins:"));
        line.unwrap_or_else(|| panic!("no line of logins: {said}")).to_owned()
    };
    let well = said("honest", &|_| {});
    assert!(well.starts_with("ok    logins: ") && well.contains("its clock agrees with ours"), "{well}");
    assert!(well.contains("http://127.0.0.1:8080/logga-in/svar"), "{well}");
    for way in ["broken", "nonsense", "another", "elsewhere"] {
        let wrong = said(way, &|_| {});
        assert!(wrong.starts_with("FAIL  logins: ") && wrong.contains("openid-configuration"), "{wrong}");
    }
    let late = said("honest", &|command| {
        command.env("LD_PRELOAD", clock::library().unwrap()).env("FAKETIME", "-120s");
    });
    assert!(late.starts_with("FAIL  logins: ") && late.contains("set ours by NTP"), "{late}");
}

/// What `check` says of the logins by the settings of a file.
fn logins(data: &Path, config: &str, toml: &str) -> String {
    std::fs::write(config, toml).unwrap();
    let output =
        Command::new(binary()).args(["check", "--config", config, "--data"]).arg(data).output().unwrap();
    let said = words(&output);
    said.lines().find(|line| line.contains("logins:")).unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_when_a_provider_does_not_know_us_and_whose_people_cannot_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("client.pem");
    let certified = Provider::certified("http://127.0.0.1:8080", 0, &key_file).await;
    let data = folder.path().join("data");
    let config = written(folder.path(), &certified.address);
    let well = std::fs::read_to_string(&config).unwrap();
    let said = |from: &str, to: &str| {
        assert!(well.contains(from), "{from}");
        logins(&data, &config, &well.replace(from, to))
    };
    let knows = said("default", "default");
    assert!(knows.starts_with("ok    logins: ") && knows.contains("answers and knows us"), "{knows}");
    for (from, to) in
        [("a secret of", "another secret of"), ("client_id = 'kundwebb'", "client_id = 'kundweb'")]
    {
        let wrong = said(from, to);
        assert!(
            wrong.starts_with("FAIL  logins: ") && wrong.contains("does not know us: check client_id"),
            "{wrong}"
        );
        assert!(wrong.contains(&certified.address) && !wrong.contains("secret of the tests"), "{wrong}");
    }
    let unserved = said(
        "employers = ['402100-0007', '402101-0006']\nclaims = { organisation_number = 'org' }",
        "employers = ['402100-0007']",
    );
    assert!(unserved.contains("nobody of the employer 402101-0006 can log in"), "{unserved}");
    let told = said("employers = ['402100-0007', '402101-0006']", "employers = ['402100-0007']");
    assert!(told.starts_with("ok    logins: "), "the default provider tells whose employee one is: {told}");
    let unknown = said("number = '402101-0006'", "number = '202100-6453'");
    assert!(
        unknown.starts_with("FAIL")
            && unknown.contains("402101-0006 has an identity provider, but cannot be chosen")
    );
}

/// A demo lets anybody choose who to be: never where people log in.
#[tokio::test(flavor = "multi_thread")]
async fn a_demo_and_an_identity_provider_are_not_served_together() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = written(folder.path(), "http://127.0.0.1:1");
    let toml = format!("demo.enabled = true\n{}", std::fs::read_to_string(&config).unwrap());
    let by_file = folder.path().join("demo.toml");
    std::fs::write(&by_file, &toml).unwrap();
    for flags in [
        vec!["--config", &config, "--demo"],
        vec!["--config", &config, "--demo-cases", "3"],
        vec!["--config", by_file.to_str().unwrap()],
    ] {
        let said = try_serve(&data, &flags).await.err().expect("it is served");
        assert!(said.contains("leave out --demo or the providers"), "{flags:?}: {said}");
        assert!(!data.join("log.db").exists(), "nothing is made: {flags:?}");
    }
    let said = logins(&data, &config, &toml);
    assert!(
        said.starts_with("FAIL  logins: demo.enabled is true though identity providers are named"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_in_words_what_is_wrong_with_an_authorization_server_and_a_token_of_a_good_one_is_taken() {
    let server = Provider::authority().await;
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("kundwebb.toml"));
    std::fs::create_dir(&data).unwrap();
    let write = |issuer: &str| {
        let toml = format!(
            "[demo]\nenabled = true\ncases = 0\n[[authorization_servers]]\nissuer = '{issuer}'\naudience = 'kundwebb'\n\
             clients = [{{ client_id = 'agresso', employers = ['4021000007'] }}]\n"
        );
        std::fs::write(&file, toml).unwrap();
    };
    let config = file.to_str().unwrap();
    let said = |change: &dyn Fn(&mut Command)| {
        let mut command = Command::new(binary());
        command.args(["check", "--config", config, "--data"]).arg(&data);
        change(&mut command);
        let said = words(&command.output().unwrap());
        let line = said.lines().find(|line| line.contains("systems:"));
        line.unwrap_or_else(|| panic!("no line of systems: {said}")).to_owned()
    };
    write(&server.address);
    let well = said(&|_| {});
    assert!(well.starts_with("ok    systems: ") && well.contains("must be for kundwebb"), "{well}");
    let late = said(&|command| {
        command.env("LD_PRELOAD", clock::library().unwrap()).env("FAKETIME", "-120s");
    });
    assert!(late.starts_with("FAIL  systems: ") && late.contains("set ours by NTP"), "{late}");
    write(&server.address.replace("127.0.0.1", "localhost"));
    let another = said(&|_| {});
    assert!(another.starts_with("FAIL  systems: ") && another.contains("another issuer"), "{another}");

    write(&server.address);
    let (_serving, web) = serve(&data, config).await;
    let token = |way: &str| reqwest::get(format!("{}/token?way={way}&audience=kundwebb", server.address));
    for (way, status) in [("honest", 200), ("wrong-audience", 401)] {
        let token = token(way).await.unwrap().text().await.unwrap();
        let asked = reqwest::Client::new().get(format!("{web}/api/v1/cases")).bearer_auth(token);
        assert_eq!(asked.send().await.unwrap().status(), status, "{way}");
    }
}

/// On one database: what one node begins another finishes, and who logs out everywhere at one is out at the other.
#[tokio::test(flavor = "multi_thread")]
async fn one_node_begins_a_login_and_another_finishes_and_ends_it() {
    let hostile = Provider::hostile().await;
    let folder = tempfile::tempdir().unwrap();
    let config = written(folder.path(), &format!("{}/honest", hostile.address));
    let cluster = Cluster::shared().unwrap();
    let url = cluster.database().unwrap();
    let keys = folder.path().join("keys");
    std::fs::create_dir(&keys).unwrap();
    let shared = format!("log = '{url}'\nkeys = '{}'\n", keys.display());
    let all = shared + &std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, all).unwrap();
    let node = async |name: &str| {
        let data = folder.path().join(name);
        std::fs::create_dir(&data).unwrap();
        serve(&data, &config).await
    };
    let ((_one, first), (_other, second)) = (node("one").await, node("other").await);

    let visit = Visit::new(&first).with_cookie(cookies::EMPLOYER, EXEMPELVERKET);
    let log_in = async |back: &str| {
        let asked = visit.get("/logga-in?till=/mina-arenden").await.next().unwrap();
        let answer = visit.page(visit.client.get(asked)).await.next().unwrap();
        let moved: reqwest::Url = answer.as_str().replacen(&first, back, 1).parse().unwrap();
        visit.page(visit.client.get(moved)).await
    };
    let statuses = async || {
        let status =
            async |web: &str| visit.page(visit.client.get(format!("{web}{MY_CASES}"))).await.status.as_u16();
        [status(&first).await, status(&second).await]
    };
    assert_eq!(log_in(&second).await.next().unwrap().path(), MY_CASES);
    assert_eq!(statuses().await, [200, 200]);
    visit.post("/logga-ut", &[("overallt", "ja")]).await;
    assert_eq!(statuses().await, [303, 303]);
    assert_eq!(log_in(&first).await.next().unwrap().path(), MY_CASES);
    assert_eq!(statuses().await, [200, 200]);
}
