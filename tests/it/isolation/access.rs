//! Runs `access.md`: what each identity may do with each field of the service.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::harness::database::{names, scalar};
use crate::harness::service::unique;
use crate::harness::token::from_now;
use crate::harness::{Answer, Caller, Claims, Service, eventually};

const TABLE: &str = include_str!("access.md");

const THINGS: &str = "
    create table things (id int primary key, name text);
    comment on table things is '@write admin';
    create table notices (id int primary key, body text);
    comment on table notices is '@public @read member';
    comment on table notices is '@public';";

/// What a tenant has of its own tables, and of the users, and of every API.
const OF_TABLES: [&str; 5] = ["thing", "notice", "user", "node", "viewer"];

#[tokio::test]
async fn everybody_may_do_what_the_table_says() {
    let service = Service::with_tables(THINGS);
    let (red, blue) = (service.sign_up("red").await, service.sign_up("blue").await);
    let mut ids = HashMap::from([("$owner", subject(&red)), ("$stranger", subject(&blue))]);
    for role in ["viewer", "member", "admin", "removed", "ended"] {
        ids.insert(placeholder(role), hire(&service, &red, role).await);
    }
    let tenant = tenant(&service, &red, &blue).await;
    let mut wrong = run("## At a tenant", &tenant, &ids).await;
    // Only now: who logs out everywhere does so here, too.
    let account = account(&service, &red).await;
    let expired = Claims::of(account.token.as_deref().unwrap()).with("exp", from_now(-60));
    let expired = account.with_token(Some(&expired.sign(&service.secret())));
    let base = [
        ("nobody", service.platform()),
        ("account", account),
        ("owner", service.platform().with_token(red.token.as_deref())),
        ("expired", expired),
    ];
    wrong.extend(run("## At the base domain", &base, &ids).await);
    wrong.extend(missing("## At a tenant", &red.with_token(None)).await);
    wrong.extend(missing("## At the base domain", &service.platform()).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn placeholder(role: &str) -> &'static str {
    match role {
        "viewer" => "$viewer",
        "member" => "$member",
        "admin" => "$admin",
        "removed" => "$removed",
        _ => "$ended",
    }
}

fn subject(caller: &Caller) -> String {
    let claims = Claims::of(caller.token.as_deref().unwrap());
    claims.0["sub"].as_str().unwrap().to_owned()
}

/// Makes somebody a member, with the password of the owner.
async fn hire(service: &Service, owner: &Caller, name: &str) -> String {
    let psql = service.psql().await;
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let email = format!("{name}@{}.test", owner.subdomain());
    let role = if ["viewer", "admin"].contains(&name) {
        name
    } else {
        "member"
    };
    let statement = format!(
        "with account as (
           insert into tenantry.accounts (id, email, name, password_hash)
           select gen_random_uuid(), '{email}', '{name}', password_hash from tenantry.accounts where id = '{}' returning id
         ), membership as (
           insert into tenantry.memberships (account_id, tenant_id, role)
           select account.id, tenants.id, '{role}' from account, tenantry.tenants where subdomain = '{}'
         )
         insert into {schema}.users (id, email, name, role) select id, '{email}', '{name}', '{role}' from account returning id",
        subject(owner),
        owner.subdomain()
    );
    scalar(&psql, &statement).await.unwrap()
}

/// The identities that ask at the tenant red.
async fn tenant(service: &Service, red: &Caller, blue: &Caller) -> Vec<(&'static str, Caller)> {
    let at = service.tenant(red.subdomain());
    let mut all = vec![("nobody", red.with_token(None))];
    for name in ["viewer", "member", "admin", "owner", "removed", "ended"] {
        all.push((name, at.member(name).await));
    }
    let member = all
        .iter()
        .find(|(name, _)| *name == "member")
        .unwrap()
        .1
        .clone();
    let expired = Claims::of(member.token.as_deref().unwrap()).with("exp", from_now(-60));
    all.push((
        "expired",
        member.with_token(Some(&expired.sign(&service.secret()))),
    ));
    all.push(("of blue", red.with_token(blue.token.as_deref())));
    let account = account(service, red).await;
    all.push(("account", red.with_token(account.token.as_deref())));
    let take_away = format!(
        "delete from tenantry.memberships where account_id = (select id from tenantry.accounts where email = 'removed@{0}.test');
         delete from tenantry.sessions where account_id = (select id from tenantry.accounts where email = 'ended@{0}.test');
         update tenantry.tenants set access_changed_at = now() + interval '1 second' where subdomain = '{0}'",
        red.subdomain()
    );
    service
        .psql()
        .await
        .batch_execute(&take_away)
        .await
        .unwrap();
    for name in ["removed", "ended"] {
        let caller = &all.iter().find(|(known, _)| *known == name).unwrap().1;
        eventually("access is taken away", async || {
            let answer = caller.query("{ viewer { id } }").await;
            (answer.status == 401).then_some(())
        })
        .await;
    }
    all
}

/// The owner of red, at the base domain.
async fn account(service: &Service, red: &Caller) -> Caller {
    let base = service.platform();
    let log_in = format!(
        "mutation {{ logIn(input: {{email: \"owner@{}.test\", password: \"demo-password\"}}) {{ accessToken }} }}",
        red.subdomain()
    );
    let data = base.query(&log_in).await.data();
    base.with_token(data["logIn"]["accessToken"].as_str())
}

/// The cells of the lines below a heading; the first line names the columns.
fn lines(heading: &str) -> Vec<Vec<&'static str>> {
    let section = TABLE.split(heading).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    lines
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

async fn run(
    heading: &str,
    identities: &[(&str, Caller)],
    ids: &HashMap<&str, String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = lines(heading);
    let (columns, lines) = lines.split_first().unwrap();
    for line in lines {
        let mut document = line[0].trim_matches('`').to_owned();
        for (placeholder, id) in ids {
            document = document.replace(placeholder, &format!("\"{id}\""));
        }
        assert_eq!(line.len(), columns.len(), "{document}");
        let mut found = vec![line[0].to_owned()];
        for (column, expected) in columns.iter().zip(line).skip(1) {
            let (_, caller) = identities.iter().find(|(name, _)| name == column).unwrap();
            let document =
                document.replace("$nobody", &format!("{}@example.test", unique("nobody")));
            let outcome = outcome(&caller.query(&document).await);
            if outcome != **expected {
                wrong.push(format!("{document}\n  {column}: {outcome}, not {expected}"));
            }
            found.push(outcome);
        }
        if std::env::var_os("SHOW_ACCESS").is_some() {
            eprintln!("| {} |", found.join(" | "));
        }
    }
    wrong
}

fn outcome(answer: &Answer) -> String {
    let json = answer.json();
    let code = json["errors"][0]["extensions"]["code"].as_str();
    code.unwrap_or("ok").to_owned()
}

/// Fields that the service adds to every API, and that no line below the heading asks for.
async fn missing(heading: &str, caller: &Caller) -> Vec<String> {
    let types = "{ __schema { types { name kind fields { name } } } }";
    let types = caller.query(types).await.data();
    let types = types["__schema"]["types"].as_array().unwrap();
    let fields_of = |name: &str| -> Vec<String> {
        let found = types.iter().find(|ty| ty["name"] == name);
        let fields = found.and_then(|ty| ty["fields"].as_array());
        let names = fields.into_iter().flatten().map(|field| &field["name"]);
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let lines = lines(heading);
    let words: BTreeSet<_> = lines
        .iter()
        .flat_map(|line| line[0].split(|c: char| !c.is_alphanumeric()))
        .collect();
    let of_tables = |field: &str| {
        let field = field.to_lowercase();
        let parts = ["create", "update", "delete"].iter();
        let rest = parts.fold(field.as_str(), |rest, verb| {
            rest.strip_prefix(verb).unwrap_or(rest)
        });
        OF_TABLES.iter().any(|table| rest.starts_with(table))
    };
    let mut missing = Vec::new();
    for ty in ["Query", "Mutation", "CurrentTenant", "Account"] {
        for field in fields_of(ty) {
            if !of_tables(&field) && !words.contains(field.as_str()) {
                missing.push(format!(
                    "tests/it/isolation/access.md, {heading}: no line for {ty}.{field}"
                ));
            }
        }
    }
    missing
}
