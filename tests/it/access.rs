//! Smart comments that say which roles may read, write and execute, and what takes no token at all.

use serde_json::{Value, json};

use crate::harness::token::Claims;
use crate::harness::{Caller, DataDir, Service, tenantry};

const OFFICE: &str = include_str!("access/office.sql");

const ROLES: [&str; 4] = ["viewer", "member", "admin", "owner"];

/// Documents, and who may run them.
const CASES: &str = include_str!("access/cases.txt");

#[tokio::test]
async fn what_is_used_takes_its_role() {
    let service = Service::with_tables(OFFICE);
    let owner = service.sign_up("office").await;
    let stranger = owner.with_token(None);
    let as_role = |role: &str| {
        let claims = Claims::of(owner.token.as_deref().unwrap()).with("role", role);
        owner.with_token(Some(&claims.sign(&service.secret())))
    };
    let mut wrong = Vec::new();
    for (least, path, document) in CASES.lines().filter_map(case) {
        let found = outcome(&stranger, document).await;
        let mut expected = ("ok".to_owned(), String::new());
        if least != "nobody" {
            expected.0 = "401 UNAUTHENTICATED".to_owned();
        }
        if found.0 != expected.0 {
            wrong.push(format!("{document}\n  nobody: {found:?}"));
        }
        for (place, role) in ROLES.into_iter().enumerate() {
            let found = outcome(&as_role(role), document).await;
            let allowed = ROLES.iter().position(|role| *role == least) <= Some(place);
            let expected = if allowed {
                ("ok".to_owned(), String::new())
            } else {
                (format!("403 FORBIDDEN {least}"), path.to_owned())
            };
            // Below the least role, another field may be the first to stop somebody.
            let as_expected = found == expected
                || !allowed
                    && found.0.starts_with("403 FORBIDDEN")
                    && found.1.split(' ').any(|one| one == path);
            if !as_expected {
                wrong.push(format!("{document}\n  {role}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    policies(&stranger, &as_role).await;
    no_oracle(&as_role("member")).await;
    described(&owner).await;
}

/// `role path document`, on a line that is not empty and no comment.
fn case(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.split('#').next()?;
    let (role, rest) = line.split_once(' ')?;
    let (path, document) = rest.trim_start().split_once(' ')?;
    Some((role, path, document.trim()))
}

/// Whether it went well, or the status, the code, the role that it takes and the paths.
async fn outcome(caller: &Caller, document: &str) -> (String, String) {
    let answer = caller.query(document).await;
    let json = answer.json();
    let Some(errors) = json["errors"].as_array() else {
        return ("ok".to_owned(), String::new());
    };
    let keys = |error: &Value| {
        let path = error["path"].as_array().cloned().unwrap_or_default();
        let keys = path.iter().map(|key| key.as_str().unwrap().to_owned());
        keys.collect::<Vec<_>>().join(".")
    };
    let paths: Vec<_> = errors.iter().map(keys).collect();
    let extensions = &errors[0]["extensions"];
    let told = ["code", "role"].map(|key| extensions[key].as_str().unwrap_or_default());
    let told = format!("{} {}", answer.status.as_u16(), told.join(" "));
    (told.trim_end().to_owned(), paths.join(" "))
}

/// What policies ask for is known for everybody, strangers too.
async fn policies(stranger: &Caller, as_role: &impl Fn(&str) -> Caller) {
    let titles = async |caller: &Caller| {
        let data = caller.query("{ posts { nodes { title } } }").await.data();
        let titles = data["posts"]["nodes"].as_array().unwrap().iter();
        let titles = titles.map(|post| post["title"].as_str().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    assert_eq!(titles(stranger).await, ["for all"]);
    assert_eq!(titles(&as_role("viewer")).await, ["for all"]);
    assert_eq!(titles(&as_role("admin")).await, ["for all", "for leaders"]);
    let member = as_role("member");
    let create = r#"mutation { createPost(input: {title: "mine"}) { title } }"#;
    member.query(create).await.data();
    assert_eq!(titles(&member).await, ["for all", "mine"]);
    let steal = r#"mutation { updatePosts(where: {published: {eq: true}}, set: {title: "x"}) { affectedCount } }"#;
    let data = member.query(steal).await.data();
    assert_eq!(data["updatePosts"]["affectedCount"], 0);
    assert_eq!(titles(stranger).await, ["for all"]);
}

/// A violation names the constraint and the fields, and nothing that is stored.
async fn no_oracle(member: &Caller) {
    let document =
        "mutation { createPerson(input: {name: \"X\", email: \"ANN\", bossId: 77}) { name } }";
    let answer = member.query(document).await;
    assert_eq!(answer.code(), "FOREIGN_KEY_VIOLATION");
    let document =
        "mutation { createPerson(input: {name: \"X\", email: \"ben@x.test\"}) { name } }";
    let answer = member.query(document).await;
    let error = &answer.json()["errors"][0];
    assert_eq!(error["extensions"]["constraint"], "people_email");
    assert!(!answer.text.contains("ben@x.test"), "{answer:?}");
    // Node ids are keys like any other.
    let id = "{ person(id: 1) { nodeId } file: files(first: 1) { totalCount } }";
    assert_eq!(member.query(id).await.code(), "FORBIDDEN");
    let id = member.query("{ person(id: 1) { nodeId } }").await.data();
    let document = "query ($id: ID!) { node(nodeId: $id) { ... on Person { salary } } }";
    let answer = member
        .ask(document, json!({"id": id["person"]["nodeId"]}))
        .await;
    assert_eq!(answer.code(), "FORBIDDEN");
    assert_eq!(
        answer.json()["errors"][0]["path"],
        json!(["node", "salary"])
    );
    let message = &answer.json()["errors"][0]["message"];
    assert_eq!(message, "reading Person.salary takes the role admin");
}

/// The schema is the same for everybody, and says which role takes what.
async fn described(owner: &Caller) {
    let document = "{
        person: __type(name: \"Person\") { fields { name description type { kind } } }
        patch: __type(name: \"PersonPatch\") { inputFields { name description } }
        query: __type(name: \"Query\") { fields { name description } }
        mutation: __type(name: \"Mutation\") { fields { name description } }
    }";
    let types = owner.query(document).await.data();
    let description = |of: &str, fields: &str, name: &str| {
        let fields = types[of][fields].as_array().unwrap();
        let field = fields.iter().find(|field| field["name"] == name).unwrap();
        field["description"].as_str().unwrap_or_default().to_owned()
    };
    for (of, fields, name, expected) in [
        (
            "person",
            "fields",
            "salary",
            "What they earn. Takes the role admin.",
        ),
        ("person", "fields", "name", ""),
        (
            "patch",
            "inputFields",
            "salary",
            "What they earn. Takes the role owner.",
        ),
        ("patch", "inputFields", "rank", "Takes the role admin."),
        ("query", "fields", "files", "Takes the role admin."),
        ("query", "fields", "notices", "Can be read without a token."),
        (
            "query",
            "fields",
            "payroll",
            "What they all earn. Takes the role admin.",
        ),
        ("mutation", "fields", "deleteFile", "Takes the role admin."),
    ] {
        let told = description(of, fields, name);
        assert!(told.ends_with(expected), "{of}.{name}: {told}");
        assert!(
            !expected.is_empty() || told.is_empty(),
            "{of}.{name}: {told}"
        );
    }
    let fields = types["person"]["fields"].as_array().unwrap();
    let salary = fields
        .iter()
        .find(|field| field["name"] == "salary")
        .unwrap();
    assert_eq!(salary["type"]["kind"], "NON_NULL");
}

#[test]
fn roles_that_do_not_exist_stop_the_start() {
    let dir = DataDir::new();
    let table = "create table t (id int primary key, pay int);
        comment on column t.pay is '@read boss What they earn.';";
    std::fs::write(dir.join("V1__t.sql"), table).unwrap();
    let mut command = tenantry(&["schema", "--tenant-sql"]);
    let output = command.arg(dir.join("")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    let expected = "the comment on t.pay has \"@read boss\": there is no such role: name owner, admin, member or viewer";
    assert!(errors.contains(expected), "{errors}");
}
