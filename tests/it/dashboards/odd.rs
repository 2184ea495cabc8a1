//! Tables that nobody would make on purpose, lists that no index finds, and what is refused.

use serde_json::{Value, json};
use tenantry::model::introspect;

use super::{Shop, pluck};
use crate::harness::database::scalar;

/// No index finds these lists: all of them are judged at once, those without rows too.
pub(super) async fn lists_without_an_index(shop: &Shop) {
    let schema = scalar(&shop.psql, "select current_schema").await.unwrap();
    let model = introspect(&shop.psql, &schema, None, None, &[])
        .await
        .unwrap();
    let keys = model.foreign_keys.iter().filter(|key| key.indexed);
    let mut keys: Vec<_> = keys.map(|key| key.name.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "invoice_genres_invoice_id_fkey",
            "invoices_customer_id_fkey"
        ]
    );
    let by_support = "(select count(*) from customers where support_id = e.id)";
    let by_manager =
        "(select count(*) from customers where manager_id = e.id and country is not null)";
    for (list, table, filter, condition) in [
        (
            "employees",
            "employees",
            "{customersBySupport: {count: {gt: 4}}}",
            format!("{by_support} > 4"),
        ),
        (
            "employees",
            "employees",
            "{not: {customersByManager: {where: {country: {isNull: false}}, count: {gt: 0}}}}",
            format!("{by_manager} = 0"),
        ),
        (
            "employees",
            "employees",
            "{or: [{customersByManager: {where: {country: {isNull: false}}, count: {eq: 0}}}, {customersBySupport: {count: {lt: 5}, max: {name: {gt: \"Customer 35\"}}}}]}",
            format!(
                "{by_manager} = 0 or {by_support} < 5 and (select max(name) > 'Customer 35' from customers where support_id = e.id)"
            ),
        ),
        (
            "parts",
            "parts",
            "{uses: {sum: {quantity: {isNull: true}}}}",
            "not exists (select from uses u where (u.maker, u.number) = (e.maker, e.number))"
                .to_owned(),
        ),
        (
            "genres",
            "genres",
            "{invoices: {where: {pieces: {gt: 0}}, count: {gt: 0}, sum: {total: {gt: \"0\"}}}}",
            "e.id < 3".to_owned(),
        ),
        (
            "customers",
            "customers",
            "{support: {employeesByReportsTo: {count: {gt: 1}}}}",
            "(select count(*) from employees where reports_to = e.support_id) > 1".to_owned(),
        ),
    ] {
        let query = format!(
            "{{ {list}(where: {filter}, last: 1000) {{ totalCount nodes {{ nodeId }} }} }}"
        );
        let found = &shop.data(&query).await[list];
        let expected = format!(
            "select count(*) filter (where {condition}) as matching, count(*) as all from {table} e"
        );
        let expected = &shop.sql(&expected).await[0];
        assert_eq!(found["totalCount"], expected["matching"], "{filter}");
        let nodes = found["nodes"].as_array().unwrap().len();
        assert_eq!(json!(nodes), expected["matching"], "{filter}");
        assert!(nodes > 0 && json!(nodes) != expected["all"], "{filter}");
    }
    let plan = "{ employees(where: {customersBySupport: {count: {gt: 4}}}, orderBy: [{customersByManager: {count: DESC}}]) {
        totalCount nodes { id } edges { cursor } } }";
    shop.data(plan).await;
}

pub(super) async fn odd_tables(shop: &Shop) {
    let query = "{
        notes { aggregates { count } }
        parts(orderBy: [{uses: {sum: {quantity: DESC}}}]) { nodes { maker number uses { aggregates { sum { quantity } } } } }
        uses { groups(by: [{part: {maker: true}}], orderBy: [{key: {part: {maker: ASC_NULLS_FIRST}}}]) {
            key { part { maker number } maker } count } }
        employees(orderBy: [{employeesByReportsTo: {count: DESC}}], first: 3) { nodes { name } }
        yearlies { groups(by: [{year: true}]) { key { year } aggregates { countDistinct { customerId } } } }
        genres(orderBy: [{invoices: {count: ASC}}]) { nodes { name invoices { groups(by: [{pieces: true}], first: 1) { key { pieces } count } } } }
    }";
    let data = shop.data(query).await;
    assert_eq!(data["notes"], json!({"aggregates": {"count": 2}}));
    let part = |maker: &str, number: i32, sum: Value| json!({"maker": maker, "number": number, "uses": {"aggregates": {"sum": {"quantity": sum}}}});
    let parts = json!([
        part("Bolt", 1, json!("16")),
        part("Acme", 1, json!("12")),
        part("Acme", 2, json!(null))
    ]);
    assert_eq!(data["parts"]["nodes"], parts);
    let makers = pluck(&data["uses"]["groups"], "/key/part/maker");
    assert_eq!(makers, [json!(null), json!("Acme"), json!("Bolt")]);
    let bosses = pluck(&data["employees"]["nodes"], "/name");
    assert_eq!(
        bosses,
        [
            json!("Employee 4"),
            json!("Employee 3"),
            json!("Employee 2")
        ]
    );
    let rows = shop.sql("select year, count(distinct customer_id)::int as count from yearly group by year order by year");
    let years = &data["yearlies"]["groups"];
    assert_eq!(pluck(years, "/key/year"), pluck(&rows.await, "/year"));
    assert_eq!(
        pluck(&data["genres"]["nodes"], "/name"),
        [json!("Polka"), json!("Jazz"), json!("Rock")]
    );
    odd_names(shop).await;
}

async fn odd_names(shop: &Shop) {
    let fields = "{ __type(name: \"OddName\") { fields { name } } }";
    let fields = pluck(&shop.data(fields).await["__type"]["fields"], "/name");
    let sum = fields
        .iter()
        .find_map(|name| name.as_str().filter(|name| name.starts_with("sum")));
    let list = fields
        .iter()
        .find_map(|name| name.as_str().filter(|name| name.starts_with("oddNames")));
    let (sum, list) = (sum.unwrap(), list.unwrap());
    let query = format!(
        "{{ oddNames(where: {{where: {{ne: \"x\"}}}}, orderBy: [{{{list}: {{sum: {{{sum}: DESC}}}}}}, {{{list}: {{count: DESC}}}}], last: 3) {{
            nodes {{ key {list} {{ aggregates {{ sum {{ {sum} }} }} }} }}
            groups(by: [{{count: true}}], having: {{sum: {{{sum}: {{isNull: false}}}}}}, orderBy: [{{sum: {{{sum}: ASC}}}}]) {{
                key {{ count }} aggregates {{ count max {{ where }} }}
            }}
        }} }}"
    );
    let data = shop.data(&query).await;
    assert_eq!(
        pluck(&data["oddNames"]["nodes"], "/key"),
        [json!(1), json!(3), json!(2)]
    );
    let groups = json!([
        {"key": {"count": 5}, "aggregates": {"count": 2, "max": {"where": "there"}}},
        {"key": {"count": null}, "aggregates": {"count": 1, "max": {"where": null}}},
    ]);
    assert_eq!(data["oddNames"]["groups"], groups);
}

pub(super) async fn refusals(shop: &Shop) {
    for (query, message) in [
        (
            "{ invoices { groups(by: [{invoicedAt: {truncate: DAY, timeZone: \"No/Where\"}}]) { count } } }",
            "No/Where",
        ),
        (
            "{ invoices { groups(by: [{invoicedAt: {timeZone: \"UTC\"}}]) { count } } }",
            "timeZone goes with truncate",
        ),
        (
            "{ invoices { groups(by: [{pieces: true}], offset: -1) { count } } }",
            "offset",
        ),
        (
            "{ invoices { groups(by: [{pieces: true}], having: {sum: {total: {gt: \"x\"}}}) { count } } }",
            "x",
        ),
        (
            "{ invoices { groups(by: [{pieces: true}], having: {sum: {total: null}}) { count } } }",
            "null",
        ),
        (
            "{ customers(where: {invoices: {where: {pieces: {gt: 1}}, count: {}}}) { totalCount } }",
            "where: goes with",
        ),
        (
            "{ customers(where: {invoices: {count: null}}) { totalCount } }",
            "null",
        ),
        (
            "{ customers(where: {invoices: {min: {due: {lt: \"never\"}}}}) { totalCount } }",
            "never",
        ),
    ] {
        let told = shop.refused(query).await;
        assert!(told.contains(message), "{told}");
    }
    // Conditions without operators are none.
    let query = "{ customers(where: {invoices: {count: {}, sum: {id: {}}}}) { totalCount } }";
    assert_eq!(shop.data(query).await["customers"]["totalCount"], 40);
    // A cursor of another aggregate leads nowhere.
    let list = |order: &str, after: &str| {
        format!(
            "{{ customers(first: 1, {after} orderBy: [{{invoices: {order}}}]) {{ edges {{ cursor }} }} }}"
        )
    };
    let sums = shop.data(&list("{sum: {total: DESC}}", "")).await;
    let cursor = sums["customers"]["edges"][0]["cursor"].as_str().unwrap();
    let after = format!("after: \"{cursor}\",");
    let told = shop.refused(&list("{max: {total: DESC}}", &after)).await;
    assert!(told.contains("another"), "{told}");
}
