//! Everybody who could ask: at the tenant red, and at the base domain.

use std::collections::HashMap;

use serde_json::Value;

use crate::api_keys::issue;
use crate::harness::database::{names, scalar};
use crate::harness::token::from_now;
use crate::harness::{Caller, Claims, Service, eventually};
use crate::operators::{let_in, operator};

pub(super) type Identities = Vec<(&'static str, Caller)>;

/// The ids of users, by what stands for them in the table.
type Ids = HashMap<&'static str, String>;

/// The identities that ask at the tenant red.
pub(super) async fn at_the_tenant(
    service: &Service,
    red: &Caller,
    blue: &Caller,
) -> (Identities, Ids) {
    let mut ids = HashMap::from([("$owner", subject(red)), ("$stranger", subject(blue))]);
    let roles = [
        ("viewer", "$viewer"),
        ("member", "$member"),
        ("admin", "$admin"),
        ("removed", "$removed"),
        ("ended", "$ended"),
    ];
    for (name, placeholder) in roles {
        ids.insert(placeholder, hire(service, red, name).await);
    }
    let at = service.tenant(red.subdomain());
    let mut all = vec![("nobody", red.with_token(None))];
    for name in ["viewer", "member", "admin", "owner", "removed", "ended"] {
        all.push((name, at.member(name).await));
    }
    let member = caller(&all, "member").token.clone().unwrap();
    let expired = Claims::of(&member).with("exp", from_now(-60));
    let expired = expired.sign(&service.secret());
    let (_, operator) = operator(service, "access").await;
    let account = account(service, red).await;
    let here = |token: Option<&str>| red.with_token(token);
    let key = async |owner: &Caller, role: &str| {
        let issued = issue(owner, role, Value::Null).await.data();
        issued["issueApiKey"]["key"].as_str().unwrap().to_owned()
    };
    all.extend([
        ("expired", here(Some(&expired))),
        ("of blue", here(blue.token.as_deref())),
        ("account", here(account.token.as_deref())),
        ("operator", here(operator.token.as_deref())),
        ("viewer key", here(Some(&key(red, "VIEWER").await))),
        ("owner key", here(Some(&key(red, "OWNER").await))),
        ("revoked key", here(Some(&key(red, "OWNER").await))),
        ("key of blue", here(Some(&key(blue, "OWNER").await))),
        (
            "viewer support",
            here(Some(&let_in(&operator, red, "VIEWER").await)),
        ),
        (
            "owner support",
            here(Some(&let_in(&operator, red, "OWNER").await)),
        ),
        (
            "ended support",
            here(Some(&let_in(&operator, red, "OWNER").await)),
        ),
        (
            "support of blue",
            here(Some(&let_in(&operator, blue, "OWNER").await)),
        ),
    ]);
    take_away(service, red, &all).await;
    (all, ids)
}

/// Those who ask at the base domain, some of them with what is for the tenant red.
pub(super) async fn at_the_base_domain(
    service: &Service,
    red: &Caller,
    tenant: &Identities,
) -> Identities {
    let base = service.platform();
    let account = account(service, red).await;
    let (_, operator) = operator(service, "access").await;
    let (_, gone) = self::operator(service, "access").await;
    gone.query("mutation { operatorLogOut }").await.data();
    let expired = Claims::of(account.token.as_deref().unwrap()).with("exp", from_now(-60));
    let expired = expired.sign(&service.secret());
    let of_tenant = |name| base.with_token(caller(tenant, name).token.as_deref());
    vec![
        ("nobody", base.clone()),
        ("expired", base.with_token(Some(&expired))),
        ("owner", base.with_token(red.token.as_deref())),
        ("owner key", of_tenant("owner key")),
        ("owner support", of_tenant("owner support")),
        ("account", account),
        ("operator", operator),
        ("ended operator", gone),
    ]
}

fn caller<'i>(identities: &'i Identities, name: &str) -> &'i Caller {
    let found = identities.iter().find(|(known, _)| *known == name);
    &found.unwrap_or_else(|| panic!("nobody is called {name}")).1
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

/// Ends what the identities that are called after it had.
async fn take_away(service: &Service, red: &Caller, all: &Identities) {
    let over = "{ currentTenant { apiKeys { id } supportAccesses { id endedAt } } }";
    // The newest come first: of keys and visits, the last but what is ended here are red's.
    let found = red.query(over).await.data()["currentTenant"].take();
    let (key, visit) = (
        &found["apiKeys"][0]["id"],
        &found["supportAccesses"][0]["id"],
    );
    let end = format!(
        "mutation {{ revokeApiKey(id: {key}) {{ id }} endSupportAccess(id: {visit}) {{ id }} }}"
    );
    red.query(&end).await.data();
    let statement = format!(
        "delete from tenantry.memberships where account_id = (select id from tenantry.accounts where email = 'removed@{0}.test');
         delete from tenantry.sessions where account_id = (select id from tenantry.accounts where email = 'ended@{0}.test');
         update tenantry.tenants set access_changed_at = now() + interval '1 second' where subdomain = '{0}'",
        red.subdomain()
    );
    let psql = service.psql().await;
    psql.batch_execute(&statement).await.unwrap();
    for name in ["removed", "ended", "revoked key", "ended support"] {
        eventually("access is taken away", async || {
            let answer = caller(all, name).query("{ viewer { id } }").await;
            (answer.status == 401).then_some(())
        })
        .await;
    }
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
