//! Row-level security, grants and views that are written to, as the app's migrations have them.

use serde_json::{Value, json};

use crate::harness::{Caller, Service};

const OFFICE: &str = "
    create table teams (id int primary key, name text not null);
    alter table teams enable row level security;
    create policy seen on teams using (name <> 'hidden');
    insert into teams values (1, 'open'), (2, 'hidden');

    create table people (
      id int primary key generated always as identity,
      name text not null,
      team_id int not null references teams,
      salary int not null default 100,
      pin text
    );
    revoke select, insert, update on people from tenant;
    grant select (id, name, team_id), insert (name, team_id, pin), update (name, pin) on people to tenant;
    insert into people (name, team_id) values ('Ann', 1), ('Ben', 2);
    create function people_shout(people) returns text language sql stable as 'select upper($1.name)';

    create table vault (id int primary key, what text not null);
    revoke all on vault from tenant;
    insert into vault values (1, 'gold');
    create view vault_as_owner as select what from vault;
    create view vault_as_asked with (security_invoker = true) as select what from vault;
    create function peek() returns int language sql stable as 'select id from vault';
    create function for_nobody() returns int language sql stable as 'select 1';
    revoke execute on function for_nobody() from public;

    create table memos (id int primary key, author uuid not null default tenantry.user_id(), body text not null);
    alter table memos enable row level security;
    create policy own on memos to tenant using (author = tenantry.user_id()) with check (author = tenantry.user_id());
    insert into memos values (1, '00000000-0000-0000-0000-000000000001', 'of somebody else');
    create table rules (id int primary key);
    alter table rules enable row level security;
    create policy leaders on rules using (tenantry.role() in ('owner', 'admin'));
    insert into rules values (1);
    create table homes (id int primary key, tenant uuid not null default tenantry.tenant_id());
    alter table homes enable row level security;
    create policy ours on homes using (tenant = tenantry.tenant_id());

    create table items (
      id int primary key generated always as identity, name text not null, kind text not null default 'plain', price int not null);
    create view cheap as select id, name, kind, price from items where price < 10 with local check option;
    comment on view cheap is '@primaryKey id';
    create view item_kinds as select kind, count(*)::int as n from items group by kind;
    comment on view item_kinds is '@primaryKey kind';
    create function write_item_kinds() returns trigger language plpgsql as $$ begin
      if tg_op = 'UPDATE' then update items set kind = new.kind where kind = old.kind; return new; end if;
      delete from items where kind = old.kind; return old;
    end $$;
    create trigger write_item_kinds instead of update or delete on item_kinds for each row execute function write_item_kinds();";

#[tokio::test]
async fn what_migrations_grant_is_what_requests_can_do() {
    let service = Service::with_tables(OFFICE);
    let office = service.sign_up("office").await;
    columns(&office).await;
    relations(&office).await;
    policies(&office).await;
    views(&office).await;
}

/// The codes and paths of an answer's errors.
fn errors(answer: &Value) -> Vec<(Value, Value)> {
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let told = errors
        .iter()
        .map(|error| (error["extensions"]["code"].clone(), error["path"].clone()));
    told.collect()
}

async fn columns(office: &Caller) {
    let query = "{ people(first: 1) { totalCount nodes { nodeId name salary pin team { name } } pageInfo { hasNextPage } } }";
    let answer = office.query(query).await.json();
    let row = &answer["data"]["people"]["nodes"][0];
    assert_eq!(row["name"], "Ann");
    assert_eq!(row["team"], json!({"name": "open"}));
    assert_eq!((&row["salary"], &row["pin"]), (&Value::Null, &Value::Null));
    let path = |field: &str| json!(["people", "nodes", 0, field]);
    let expected = [
        (json!("FORBIDDEN"), path("salary")),
        (json!("FORBIDDEN"), path("pin")),
    ];
    assert_eq!(errors(&answer), expected);
    // Rows that relations are joined to are cut first, without the columns that may not be read.
    let query = "{ people(orderBy: [{team: {name: DESC}}, {name: ASC}], last: 1) { nodes { name team { name } } } }";
    let answer = office.query(query).await.data();
    let expected = json!([{"name": "Ann", "team": {"name": "open"}}]);
    assert_eq!(answer["people"]["nodes"], expected);

    let offered = "{
        filter: __type(name: \"PersonFilter\") { inputFields { name } }
        input: __type(name: \"PersonInput\") { inputFields { name } }
        patch: __type(name: \"PersonPatch\") { inputFields { name } }
        row: __type(name: \"Person\") { fields { name } }
    }";
    let offered = office.query(offered).await.data();
    let names = |of: &str, fields: &str| -> Vec<String> {
        let fields = offered[of][fields].as_array().unwrap().iter();
        fields
            .map(|field| field["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names("filter", "inputFields")[3..],
        ["id", "name", "teamId", "team"]
    );
    assert_eq!(
        names("input", "inputFields"),
        ["name", "teamId", "pin", "team"]
    );
    assert_eq!(names("patch", "inputFields"), ["name", "pin"]);
    // A function of the row takes all of it.
    assert!(!names("row", "fields").contains(&"shout".to_owned()));

    let mutation = "mutation {
        createPerson(input: {name: \"Cat\", pin: \"1\", teamId: 1}) { name }
        updatePeople(where: {name: {eq: \"Cat\"}}, set: {pin: \"2\"}) { affectedCount nodes { name } }
        deletePeople(where: {name: {eq: \"Cat\"}}) { affectedCount }
    }";
    let expected = json!({
        "createPerson": {"name": "Cat"},
        "updatePeople": {"affectedCount": 1, "nodes": [{"name": "Cat"}]},
        "deletePeople": {"affectedCount": 1},
    });
    assert_eq!(office.query(mutation).await.data(), expected);
}

async fn relations(office: &Caller) {
    let answer = office
        .query("{ vaults { totalCount } people { totalCount } }")
        .await;
    let answer = answer.json();
    assert_eq!(
        answer["data"],
        json!({"vaults": null, "people": {"totalCount": 2}})
    );
    assert_eq!(errors(&answer), [(json!("FORBIDDEN"), json!(["vaults"]))]);
    // What the model does not know, Postgres says when it is asked.
    for query in ["{ peek }", "{ peek: vaultAsAskeds { totalCount } }"] {
        let answer = office.query(query).await;
        assert_eq!(answer.status, 403, "{query}");
        assert_eq!(
            errors(&answer.json()),
            [(json!("FORBIDDEN"), json!(["peek"]))]
        );
    }
    let owned = office
        .query("{ vaultAsOwners { nodes { what } } }")
        .await
        .data();
    assert_eq!(owned["vaultAsOwners"]["nodes"], json!([{"what": "gold"}]));
    for (query, missing) in [
        ("{ forNobody }", "forNobody"),
        (
            "mutation { createVault(input: {id: 2, what: \"x\"}) { id } }",
            "createVault",
        ),
    ] {
        let answer = office.query(query).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
        assert!(answer.json().to_string().contains(missing));
    }
}

async fn policies(office: &Caller) {
    let query = "{
        memos { totalCount } memo(id: 1) { body } rules { totalCount }
        people(orderBy: [{id: ASC}]) { nodes { name team { name } } }
        teams(where: {people: {some: {name: {eq: \"Ben\"}}}}) { totalCount }
    }";
    let expected = json!({
        "memos": {"totalCount": 0}, "memo": null, "rules": {"totalCount": 1},
        // The key holds, but the row it refers to may not be seen.
        "people": {"nodes": [{"name": "Ann", "team": {"name": "open"}}, {"name": "Ben", "team": null}]},
        "teams": {"totalCount": 0},
    });
    assert_eq!(office.query(query).await.data(), expected);
    let own = "mutation { createMemo(input: {id: 2, body: \"mine\"}) { body } createHome(input: {id: 1}) { id } }";
    let expected = json!({"createMemo": {"body": "mine"}, "createHome": {"id": 1}});
    assert_eq!(office.query(own).await.data(), expected);
    let foreign = "mutation { createMemo(input: {id: 3, body: \"x\", author: \"00000000-0000-0000-0000-000000000001\"}) { id } }";
    let answer = office.query(foreign).await.json();
    assert_eq!(
        errors(&answer),
        [(json!("FORBIDDEN"), json!(["createMemo"]))]
    );
    let others = "mutation { updateMemo(id: 1, set: {body: \"x\"}) { id } deleteMemos(where: {id: {eq: 1}}) { affectedCount } }";
    let expected = json!({"updateMemo": null, "deleteMemos": {"affectedCount": 0}});
    assert_eq!(office.query(others).await.data(), expected);
}

async fn views(office: &Caller) {
    let mutation = "mutation {
        createCheaps(inputs: [{name: \"a\", price: 1}, {name: \"b\", price: 2}]) { nodes { id kind } }
        updateCheap(id: 1, set: {price: 3}) { price }
        updateCheaps(where: {price: {lt: 3}}, set: {kind: \"fancy\"}) { affectedCount nodes { name } }
        updateItemKind(kind: \"fancy\", set: {kind: \"odd\"}) { n }
        updateItemKinds(where: {kind: {eq: \"plain\"}}, set: {kind: \"even\"}) { affectedCount nodes { kind n } }
        deleteItemKinds(where: {kind: {in: [\"odd\", \"even\"]}}) { affectedCount nodes { kind n } }
    }";
    let expected = json!({
        "createCheaps": {"nodes": [{"id": 1, "kind": "plain"}, {"id": 2, "kind": "plain"}]},
        "updateCheap": {"price": 3},
        "updateCheaps": {"affectedCount": 1, "nodes": [{"name": "b"}]},
        "updateItemKind": {"n": 1},
        "updateItemKinds": {"affectedCount": 1, "nodes": [{"kind": "even", "n": 1}]},
        "deleteItemKinds": {"affectedCount": 2, "nodes": [{"kind": "even", "n": 1}, {"kind": "odd", "n": 1}]},
    });
    assert_eq!(office.query(mutation).await.data(), expected);
    for (mutation, code) in [
        (
            "mutation { createCheap(input: {name: \"c\", price: 100}) { id } }",
            "CHECK_VIOLATION",
        ),
        (
            "mutation { createCheaps(inputs: [{name: \"c\", price: 1, kind: \"x\"}, {name: \"d\", price: 1}]) { affectedCount } }",
            "BAD_USER_INPUT",
        ),
        (
            "mutation { createItemKind(input: {kind: \"x\"}) { kind } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ] {
        assert_eq!(office.query(mutation).await.code(), code, "{mutation}");
    }
}
