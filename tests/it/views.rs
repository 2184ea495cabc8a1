//! Views, and what comments declare of them.

use serde_json::{Value, json};

use crate::harness::{DataDir, Service, tenantry};

const SALES: &str = "
    create table customers (id int primary key, name text not null);
    create table orders (id int primary key, customer_id int not null references customers, total int, grid int[][]);
    insert into customers values (1, 'Ada'), (2, 'Bob'), (3, 'Cy');
    insert into orders values (1, 1, 5, '{{1,2},{3,4}}'), (2, 1, 7, null), (3, 2, 1, null);

    create view customer_totals as
      select c.id as customer_id, c.name, coalesce(sum(o.total), 0)::int as total
      from customers c left join orders o on o.customer_id = c.id group by c.id;
    comment on view customer_totals is
      E'@primaryKey customer_id\\n@foreignKey (customer_id) references customers (id) @name buyer @reverse totals\\nSums.';
    comment on column customer_totals.total is '@notNull';

    create view \"Big Orders\" as select id, customer_id as \"Cust\", total, grid from orders where total > 4;
    comment on view \"Big Orders\" is
      E'@primaryKey id\\n@unique \"Cust\", id\\n@foreignKey (\"Cust\") references customers\\n@foreignKey (id) references orders|@fieldName whole';
    comment on column \"Big Orders\".grid is '@dimensions 2';

    create materialized view names as select id, name from customers;
    create unique index on names (id);
    create materialized view not_filled as select id from customers with no data;";

#[tokio::test]
async fn views_take_part_in_relations_by_what_their_comments_say() {
    let service = Service::with_tables(SALES);
    let sales = service.sign_up("sales").await;
    let query = "{
        customerTotals(first: 2) { nodes { nodeId total buyer { name totals { total } } } pageInfo { endCursor } }
        customerTotal(customerId: 2) { total buyer { bigOrders { totalCount } } }
        bigOrders { nodes { grid whole { total } customer: customerByCust { name } } }
        bigOrderByCustAndId(cust: 1, id: 2) { total }
        customers(where: {bigOrders: {some: {total: {gt: 6}}}}) { nodes { name } }
        names(first: 1) { nodes { name } }
    }";
    let answer = sales.query(query).await.data();
    let (id, cursor) = (
        answer["customerTotals"]["nodes"][1]["nodeId"].clone(),
        answer["customerTotals"]["pageInfo"]["endCursor"].clone(),
    );
    let mut expected = json!({
        "customerTotals": {
            "nodes": [
                {"nodeId": null, "total": 12, "buyer": {"name": "Ada", "totals": {"total": 12}}},
                {"nodeId": null, "total": 1, "buyer": {"name": "Bob", "totals": {"total": 1}}},
            ],
            "pageInfo": {"endCursor": cursor},
        },
        "customerTotal": {"total": 1, "buyer": {"bigOrders": {"totalCount": 0}}},
        "bigOrders": {"nodes": [
            {"grid": [[1, 2], [3, 4]], "whole": {"total": 5}, "customer": {"name": "Ada"}},
            {"grid": null, "whole": {"total": 7}, "customer": {"name": "Ada"}},
        ]},
        "bigOrderByCustAndId": {"total": 7},
        "customers": {"nodes": [{"name": "Ada"}]},
        "names": {"nodes": [{"name": "Ada"}]},
    });
    for (index, node) in [0, 1]
        .into_iter()
        .zip(answer["customerTotals"]["nodes"].as_array().unwrap())
    {
        expected["customerTotals"]["nodes"][index]["nodeId"] = node["nodeId"].clone();
    }
    assert_eq!(answer, expected);

    let query = "query ($id: ID!, $after: Cursor) {
        node(nodeId: $id) { ... on CustomerTotal { name } }
        customerTotals(after: $after) { nodes { name } }
    }";
    let answer = sales.ask(query, json!({"id": id, "after": cursor})).await;
    let expected = json!({"node": {"name": "Bob"}, "customerTotals": {"nodes": [{"name": "Cy"}]}});
    assert_eq!(answer.data(), expected);

    let query = "{ __type(name: \"CustomerTotal\") { description fields { name type { kind } } } }";
    let answer: Value = sales.query(query).await.data()["__type"].take();
    assert_eq!(answer["description"], "Sums.");
    let total = json!({"name": "total", "type": {"kind": "NON_NULL"}});
    assert!(answer["fields"].as_array().unwrap().contains(&total));

    let answer = sales.query("{ notFilleds { totalCount } }").await;
    assert_eq!(answer.code(), "CONFLICT");
}

#[test]
fn a_comment_that_is_wrong_stops_the_start() {
    let table = "create table customers (id int primary key);
        create view totals as select 'x' as customer from customers;";
    for (tags, problem) in [
        ("@primaryKey id", "there is no column id"),
        (
            "@foreignKey (customer) references custommers",
            "there is no table custommers",
        ),
        (
            "@foreignKey (customer) references customers",
            "operator does not exist: text = integer",
        ),
    ] {
        let dir = DataDir::new();
        let tables = format!("{table} comment on view totals is '{tags}';");
        std::fs::write(dir.join("V1__views.sql"), tables).unwrap();
        let output = tenantry(&["schema", "--tenant-sql"])
            .arg(dir.join(""))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        let expected = format!("the comment on \"totals\" has \"{tags}\": {problem}");
        assert!(errors.contains(&expected), "{expected}\n{errors}");
    }
}
