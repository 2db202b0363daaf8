//! Invented cases for the benchmark: the same number gives the same case.

use api::demo::employers::EMPLOYERS;
use domain::access::Role;
use domain::case::commands::{AddMessage, Close, Create, StartProcessing};
use domain::event::Profile;
use domain::person::{Counts, SeePerson};
use domain::refusal::Code;
use domain::text::{Body, Email, PersonName, Subject};
use domain::{
    Actor, Area, CaseCommand, CaseId, Channel, Language, OrganisationNumber, PersonId, System, Topic,
};
use infrastructure::{CaseRequest, Keys, random};

/// How many cases one person files.
const CASES_A_PERSON: u64 = 20;
/// How many officers there are.
const OFFICERS: u64 = 40;

/// Of what the texts are made.
const WORDS: [&str; 24] = [
    "lönen",
    "fakturan",
    "beställningen",
    "kontot",
    "utbetalningen",
    "underlaget",
    "ersättningen",
    "semestern",
    "för",
    "mars",
    "stämmer",
    "inte",
    "och",
    "behöver",
    "rättas",
    "före",
    "månadsskiftet",
    "tack",
    "hälsningar",
    "Agresso",
    "Primula",
    "leverantören",
    "beloppet",
    "bokföringen",
];

/// Words in an order that follows from the number.
fn words(number: u64, count: u64) -> String {
    let mut text = String::new();
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[usize::try_from(state >> 33).unwrap_or_default() % WORDS.len()]);
        text.push(' ');
    }
    text
}

/// A subject of a few words.
pub(crate) fn subject(number: u64) -> String {
    format!("{}{number}", words(number, 3))
}

/// A message of about two hundred characters.
pub(crate) fn message(number: u64) -> String {
    words(number.wrapping_add(7), 24)
}

/// The employer of a case.
pub(crate) fn employer(number: u64) -> OrganisationNumber {
    // The first four use every area.
    EMPLOYERS[usize::try_from(number / CASES_A_PERSON).unwrap_or_default() % 4].number
}

/// The login of who files a case.
pub(crate) fn login(number: u64) -> String {
    format!("person-{}", number / CASES_A_PERSON)
}

/// The login of who answers a case.
pub(crate) fn officer_login(number: u64) -> String {
    format!("officer-{}", number % OFFICERS)
}

fn actor(person: PersonId, role: Role, employers: Option<Vec<OrganisationNumber>>) -> Actor {
    Actor { person, role, identities: vec![person], employers, areas: None }
}

fn body(text: &str) -> Body {
    Body::parse(text, "", Code::MessageMissing).expect("a text that fits")
}

fn request(actor: Actor, case: CaseId, command: CaseCommand, see: Vec<SeePerson>) -> CaseRequest {
    let fresh = matches!(command, CaseCommand::Create(_));
    CaseRequest {
        command_id: random::id(),
        request: [7; 32],
        correlation: random::id(),
        actor,
        case,
        fresh,
        expected_version: None,
        command,
        see,
        followed: None,
    }
}

/// A new case of an employee.
pub(crate) fn create(keys: &Keys, number: u64) -> CaseRequest {
    let login = login(number);
    let (person, employer) = (keys.login(&login), employer(number));
    let area = Area::ALL[usize::try_from(number).unwrap_or_default() % 4];
    let sub_area = (area == Area::Lon).then_some(domain::SubArea::Supportarende);
    let system = (area == Area::ItTjanstestod).then_some(System::Primula);
    let create = Create {
        employer,
        topic: Topic::new(area, sub_area, system).expect("a topic that goes together"),
        subject: Subject::parse(&subject(number), "").expect("a subject that fits"),
        message: body(&message(number)),
        files: Vec::new(),
        language: Language::Sv,
        follows_up: None,
        channel: Channel::Webb,
        on_behalf_of: None,
    };
    let see = if number.is_multiple_of(CASES_A_PERSON) { vec![meeting(keys, &login)] } else { Vec::new() };
    let actor = actor(person, Role::Employee, Some(vec![employer]));
    request(actor, CaseId(random::id()), CaseCommand::Create(create), see)
}

/// The person behind a login, as met for the first time.
fn meeting(keys: &Keys, login: &str) -> SeePerson {
    let profile = Profile {
        subject: Some(login.to_owned()),
        name: PersonName::parse(&format!("{login} Provsson"), "").ok(),
        email: Email::parse(&format!("{login}@exempel.example"), "").ok(),
    };
    SeePerson {
        id: keys.login(login),
        employer: None,
        role: Role::Employee,
        fingerprint: keys.profile_fingerprint(Role::Employee, &profile),
        callers: Vec::new(),
        profile,
        counts: Counts::Always,
    }
}

/// What an officer does with a case, in order: takes it, writes, closes it.
pub(crate) fn answers(keys: &Keys, number: u64, case: CaseId) -> [CaseRequest; 3] {
    let officer = || actor(keys.login(&officer_login(number)), Role::Officer, None);
    let letter = AddMessage { text: body(&message(number + 1)), files: Vec::new() };
    let close = Close { answer: body(&message(number + 2)), files: Vec::new() };
    [
        CaseCommand::StartProcessing(StartProcessing {}),
        CaseCommand::AddMessage(letter),
        CaseCommand::Close(close),
    ]
    .map(|command| request(officer(), case, command, Vec::new()))
}
