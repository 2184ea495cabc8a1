//! What a shop's dashboards ask for: sums, groups, the best customers. Answers are compared with plain SQL.

mod odd;

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::database::{names, scalar};
use crate::harness::{Caller, Service};

/// A shop, as its owner and as Postgres see it.
struct Shop {
    owner: Caller,
    psql: Client,
}

impl Shop {
    async fn open() -> (Service, Self) {
        let service = Service::with_tables(include_str!("dashboards/sales.sql"));
        let owner = service.sign_up("shop").await;
        let psql = service.psql().await;
        let (schema, _) = names(&psql, owner.subdomain()).await;
        let path = format!("set search_path = {schema}; set timezone = 'UTC'");
        psql.batch_execute(&path).await.unwrap();
        (service, Self { owner, psql })
    }

    async fn data(&self, query: &str) -> Value {
        self.owner.query(query).await.data()
    }

    /// The rows of a query as JSON.
    async fn sql(&self, query: &str) -> Value {
        let query = format!("select coalesce(json_agg(row), '[]') from ({query}) as row");
        let text = scalar(&self.psql, &query).await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    async fn refused(&self, query: &str) -> String {
        let answer = self.owner.query(query).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{answer:?}");
        let message = &answer.json()["errors"][0]["message"];
        message.as_str().unwrap().to_owned()
    }
}

/// One value of each item.
fn pluck(items: &Value, pointer: &str) -> Vec<Value> {
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| {
            item.pointer(pointer)
                .unwrap_or_else(|| panic!("{item}"))
                .clone()
        })
        .collect()
}

#[tokio::test]
async fn dashboards() {
    let (_service, shop) = Shop::open().await;
    sales_by_country_and_month(&shop).await;
    best_customers(&shop).await;
    pages_by_aggregates(&shop).await;
    customers_by_what_they_bought(&shop).await;
    odd::lists_without_an_index(&shop).await;
    every_type(&shop).await;
    time_zones(&shop).await;
    odd::odd_tables(&shop).await;
    odd::refusals(&shop).await;
}

async fn sales_by_country_and_month(shop: &Shop) {
    let query = "{ invoices(where: {pieces: {gt: 0}}) { totalCount groups(
        by: [{customer: {country: true}}, {invoicedAt: {truncate: MONTH}}]
        having: {count: {gte: 2}, sum: {total: {gt: 5}}}
        orderBy: [{sum: {total: DESC}}], first: 20, offset: 1
    ) { key { customer { country } invoicedAt } count aggregates { sum { total pieces } avg { weight } } } } }";
    let groups = &shop.data(query).await["invoices"]["groups"];
    let expected = "select c.country, to_char(date_trunc('month', i.invoiced_at), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as month,
            count(*), sum(i.total)::text as total, sum(i.pieces)::text as pieces
        from invoices i join customers c on c.id = i.customer_id where i.pieces > 0
        group by c.country, date_trunc('month', i.invoiced_at) having count(*) >= 2 and sum(i.total) > 5
        order by sum(i.total) desc, c.country, 2 limit 20 offset 1";
    let expected = shop.sql(expected).await;
    assert_eq!(expected.as_array().unwrap().len(), 20);
    for (pointer, column) in [
        ("/key/customer/country", "/country"),
        ("/key/invoicedAt", "/month"),
        ("/count", "/count"),
        ("/aggregates/sum/total", "/total"),
        ("/aggregates/sum/pieces", "/pieces"),
    ] {
        assert_eq!(
            pluck(groups, pointer),
            pluck(&expected, column),
            "{pointer}"
        );
    }
    // Nobody's country is a group as well.
    let query =
        "{ invoices { groups(by: [{billingCountry: true}]) { key { billingCountry } count } } }";
    let groups = &shop.data(query).await["invoices"]["groups"];
    let group = |country: Value| json!({"key": {"billingCountry": country}, "count": 100});
    let countries = [
        json!("Austria"),
        json!("Brazil"),
        json!("Cuba"),
        json!(null),
    ];
    assert_eq!(*groups, json!(countries.map(group)));
}

async fn best_customers(shop: &Shop) {
    let query = "{ customers(orderBy: [{invoices: {sum: {total: DESC}}}]) {
        nodes { name invoices { aggregates { count sum { total } } } } } }";
    let nodes = &shop.data(query).await["customers"]["nodes"];
    let expected = "select c.name, count(i.id), sum(i.total)::text as total from customers c
        left join invoices i on i.customer_id = c.id group by c.id order by sum(i.total) desc nulls last, c.id desc";
    let expected = shop.sql(expected).await;
    assert_eq!(pluck(nodes, "/name"), pluck(&expected, "/name"));
    let sums = pluck(nodes, "/invoices/aggregates/sum/total");
    assert_eq!(sums, pluck(&expected, "/total"));
    assert_eq!(
        sums[39],
        json!(null),
        "customers without invoices come last"
    );
    let counts = pluck(nodes, "/invoices/aggregates/count");
    assert_eq!(counts, pluck(&expected, "/count"));
}

/// Pages in both directions, by cursors and with or without a filter, are the whole list.
async fn pages_by_aggregates(shop: &Shop) {
    for order in [
        "{invoices: {sum: {total: DESC}}}",
        "{invoices: {avg: {weight: ASC_NULLS_FIRST}}}",
        "{invoices: {count: ASC}}, {name: DESC}",
        "{support: {customersBySupport: {max: {loyalty: DESC}}}}, {invoices: {countDistinct: {tags: DESC}}}",
        "{support: {customersByManager: {count: DESC}}}",
    ] {
        for filter in ["", "where: {country: {isNull: false}},"] {
            let all = format!("{{ customers({filter} orderBy: [{order}]) {{ nodes {{ id }} }} }}");
            let all = pluck(&shop.data(&all).await["customers"]["nodes"], "/id");
            assert!(all.len() > 20);
            for (take, place, more, end) in [
                ("first", "after", "hasNextPage", "endCursor"),
                ("last", "before", "hasPreviousPage", "startCursor"),
            ] {
                let page = format!(
                    "query ($place: Cursor) {{ customers({filter} orderBy: [{order}], {take}: 7, {place}: $place) {{
                        nodes {{ id support {{ name }} }} pageInfo {{ {more} {end} hasNextPage hasPreviousPage }} }} }}"
                );
                let (mut found, mut cursor) = (Vec::new(), json!(null));
                loop {
                    let answer = shop.owner.ask(&page, json!({"place": cursor})).await;
                    let list = &answer.data()["customers"];
                    let ids = pluck(&list["nodes"], "/id");
                    let at = if take == "first" { found.len() } else { 0 };
                    found.splice(at..at, ids);
                    let info = &list["pageInfo"];
                    let other = if take == "first" {
                        "hasPreviousPage"
                    } else {
                        "hasNextPage"
                    };
                    assert_eq!(info[other], json!(!cursor.is_null()), "{order}");
                    cursor = info[end].clone();
                    if info[more] == json!(false) {
                        break;
                    }
                }
                assert_eq!(found, all, "{order} {take} {filter}");
            }
        }
    }
}

async fn customers_by_what_they_bought(shop: &Shop) {
    for (filter, condition) in [
        ("{invoices: {count: {gt: 10}}}", "(select count(*) from invoices where customer_id = c.id) > 10"),
        ("{invoices: {count: {eq: 0}}}", "not exists (select from invoices where customer_id = c.id)"),
        (
            "{not: {invoices: {sum: {total: {gte: \"80\"}}}}}",
            "(select coalesce(sum(total), 0) from invoices where customer_id = c.id) < 80",
        ),
        (
            "{invoices: {where: {pieces: {gte: 3}}, count: {gte: 5}, min: {due: {lt: \"2025-03-01\"}}}}",
            "(select count(*) >= 5 and min(due) < '2025-03-01' from invoices where customer_id = c.id and pieces >= 3)",
        ),
        (
            "{invoices: {some: {genres: {count: {eq: 1}, max: {name: {eq: \"Jazz\"}}}}}}",
            "exists (select from invoices i where i.customer_id = c.id and (select count(*) = 1 and max(name) = 'Jazz'
                from genres g join invoice_genres ig on ig.genre_id = g.id where ig.invoice_id = i.id))",
        ),
        (
            "{support: {customersBySupport: {countDistinct: {id: {gt: 4}}}}}",
            "(select count(*) from customers where support_id = c.support_id) > 4",
        ),
    ] {
        let query = format!("{{ customers(where: {filter}) {{ totalCount nodes {{ id }} }} }}");
        let found = &shop.data(&query).await["customers"];
        let expected = format!("select id from customers c where {condition} order by id");
        let expected = pluck(&shop.sql(&expected).await, "/id");
        assert_eq!(pluck(&found["nodes"], "/id"), expected, "{filter}");
        assert!(!expected.is_empty() && expected.len() < 40, "{filter}");
    }
}

async fn every_type(shop: &Shop) {
    let query = "{
        employees { aggregates {
            sum { shift wage } avg { shift reportsTo } min { started wage } max { shift wage name }
            boolAnd { onDuty } boolOr { onDuty }
        } }
        customers { aggregates { min { loyalty } max { loyalty name } countDistinct { loyalty } } }
        invoices { aggregates { sum { weight pieces total id } avg { id pieces } max { localTime invoicedAt due } countDistinct { tags } } }
        parts { aggregates { sum { price } min { maker number } } }
    }";
    let data = shop.data(query).await;
    let expected = json!({
        "sum": {"shift": "PT67H30M", "wage": "$450.00"}, "avg": {"shift": "PT7H30M", "reportsTo": 2.5},
        "min": {"started": "2020-03-10", "wage": "$10.00"},
        "max": {"shift": "PT13H30M", "wage": "$90.00", "name": "Employee 9"},
        "boolAnd": {"onDuty": false}, "boolOr": {"onDuty": true},
    });
    assert_eq!(data["employees"]["aggregates"], expected);
    let expected = json!({
        "min": {"loyalty": "BASIC"}, "max": {"loyalty": "PLATINUM", "name": "Customer 9"},
        "countDistinct": {"loyalty": 3},
    });
    assert_eq!(data["customers"]["aggregates"], expected);
    let sums = &data["invoices"]["aggregates"];
    let expected =
        "select sum(pieces)::text as pieces, sum(total)::text as total, sum(id)::text as id,
        avg(id)::text as average from invoices";
    let expected = &shop.sql(expected).await[0];
    for key in ["pieces", "total", "id"] {
        assert_eq!(sums["sum"][key], expected[key], "{key}");
    }
    assert_eq!(
        sums["avg"],
        json!({"id": expected["average"], "pieces": 2.0})
    );
    assert_eq!(sums["countDistinct"]["tags"], 2);
    let weight = sums["sum"]["weight"].as_f64().unwrap();
    assert!((weight - 6862.9).abs() < 0.001, "{weight}");
}

async fn time_zones(shop: &Shop) {
    for (zone, sql) in [("", "UTC"), (", timeZone: \"Asia/Tokyo\"", "Asia/Tokyo")] {
        for unit in [
            "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR",
        ] {
            let query = format!(
                "{{ invoices {{ groups(by: [{{invoicedAt: {{truncate: {unit}{zone}}}}}], first: 1000) {{ key {{ invoicedAt }} count }} }} }}"
            );
            let groups = &shop.data(&query).await["invoices"]["groups"];
            let expected = format!(
                "select to_char(date_trunc('{unit}', invoiced_at, '{sql}'), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as at, count(*)
                 from invoices group by 1 order by 1"
            );
            let expected = shop.sql(&expected).await;
            assert_eq!(
                pluck(groups, "/key/invoicedAt"),
                pluck(&expected, "/at"),
                "{unit} {zone}"
            );
            assert_eq!(pluck(groups, "/count"), pluck(&expected, "/count"));
        }
    }
    let query = "{ invoices { local: groups(by: [{localTime: {truncate: YEAR}}]) { key { localTime } count }
        due: groups(by: [{due: {truncate: WEEK}}], first: 2) { key { due } } } }";
    let groups = &shop.data(query).await["invoices"];
    assert_eq!(
        pluck(&groups["local"], "/key/localTime"),
        [json!("2025-01-01T00:00:00"), json!("2026-01-01T00:00:00")]
    );
    // 2025-01-02 is a Thursday: weeks start on Monday.
    assert_eq!(
        pluck(&groups["due"], "/key/due"),
        [json!("2024-12-30"), json!("2025-01-06")]
    );
}
