//! A public-like schema, filled by nested mutations and asked for what its owner wants to know.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Caller, Service};

#[tokio::test]
async fn a_shop_for_music() {
    let service = Service::with_tables(include_str!("public_schema/music.sql"));
    let shop = service.sign_up("music").await;
    an_artist_with_albums_with_tracks(&shop).await;
    a_playlist_of_tracks(&shop).await;
    a_wrong_track_undoes_its_artist(&shop).await;
    let sales = a_year_of_sales(&shop).await;
    sales_by_country_and_month(&shop, &sales).await;
    best_customers(&shop, &sales).await;
    what_sells(&shop).await;
}

async fn an_artist_with_albums_with_tracks(shop: &Caller) {
    let mutation = r#"mutation { createArtist(input: {name: "The Nested", albums: {create: [
        {title: "First", tracks: {create: [
            {name: "Alpha", milliseconds: 180000, bytes: "9007199254740993"
                genre: {connectOrCreate: {connect: {name: "Rock"}, create: {name: "Rock"}}}}
            {name: "Beta", milliseconds: 240000, unitPrice: "1.99"
                genre: {connectOrCreate: {connect: {name: "Jazz"}, create: {name: "Jazz"}}}}
        ]}}
        {title: "Second", tracks: {create: [
            {name: "Gamma", milliseconds: 60000, genre: {connectOrCreate: {connect: {name: "Rock"}, create: {name: "Rock"}}}}
        ]}}
        {title: "Silence"}
    ]}}) {
        artistId name
        albums(orderBy: [{albumId: ASC}]) { totalCount nodes { title artist { name }
            tracks(orderBy: [{trackId: ASC}]) { nodes { name bytes unitPrice genre { name } } aggregates { sum { milliseconds } } } } }
    } }"#;
    let track = |name: &str, bytes: Value, price: &str, genre: &str| json!({"name": name, "bytes": bytes, "unitPrice": price, "genre": {"name": genre}});
    let album = |title: &str, tracks: Value, length: Value| {
        json!({"title": title, "artist": {"name": "The Nested"},
            "tracks": {"nodes": tracks, "aggregates": {"sum": {"milliseconds": length}}}})
    };
    let alpha = track("Alpha", json!("9007199254740993"), "0.99", "Rock");
    let beta = track("Beta", json!(null), "1.99", "Jazz");
    let gamma = track("Gamma", json!(null), "0.99", "Rock");
    let expected = json!({"createArtist": {"artistId": 1, "name": "The Nested", "albums": {"totalCount": 3, "nodes": [
        album("First", json!([alpha, beta]), json!("420000")),
        album("Second", json!([gamma]), json!("60000")),
        album("Silence", json!([]), json!(null)),
    ]}}});
    assert_eq!(shop.query(mutation).await.data(), expected);
    let genres = shop.query(
        "{ genres(orderBy: [{tracks: {count: DESC}}]) { nodes { name tracks { totalCount } } } }",
    );
    let expected = json!({"genres": {"nodes": [
        {"name": "Rock", "tracks": {"totalCount": 2}}, {"name": "Jazz", "tracks": {"totalCount": 1}}]}});
    assert_eq!(genres.await.data(), expected);
}

/// Across the junction, with a new track among known ones.
async fn a_playlist_of_tracks(shop: &Caller) {
    let mutation = r#"mutation { createPlaylist(input: {name: "Morning", tracks: {
        connect: [{trackId: 1}, {trackId: 3}]
        create: [{name: "Delta", milliseconds: 1000, album: {create: {title: "Third", artist: {connect: {name: "The Nested"}}}}}]
    }}) { tracks(orderBy: [{name: ASC}]) { nodes { name album { title artist { name } } } } } }"#;
    let track = |name: &str, album: &str| json!({"name": name, "album": {"title": album, "artist": {"name": "The Nested"}}});
    let tracks = [
        track("Alpha", "First"),
        track("Delta", "Third"),
        track("Gamma", "Second"),
    ];
    assert_eq!(
        shop.query(mutation).await.data(),
        json!({"createPlaylist": {"tracks": {"nodes": tracks}}})
    );
}

async fn a_wrong_track_undoes_its_artist(shop: &Caller) {
    let mutation = r#"mutation {
        createGenre(input: {name: "Noise"}) { genreId }
        createArtist(input: {name: "Too short", albums: {create: [{title: "Zero", tracks: {create: [
            {name: "Fine", milliseconds: 1}, {name: "Wrong", milliseconds: 0}]}}]}}) { artistId }
    }"#;
    let answer = shop.query(mutation).await.json();
    let error = &answer["errors"][0];
    assert_eq!(error["path"][0], "createArtist", "{answer}");
    assert_eq!(error["extensions"]["code"], "CHECK_VIOLATION");
    assert_eq!(
        error["extensions"]["constraint"],
        "tracks_milliseconds_check"
    );
    assert_eq!(error["extensions"]["fields"], json!(["milliseconds"]));
    let left = r#"{ artistByName(name: "Too short") { artistId } genreByName(name: "Noise") { genreId }
        albums(where: {title: {eq: "Zero"}}) { totalCount } }"#;
    assert_eq!(
        shop.query(left).await.data(),
        json!({"artistByName": null, "genreByName": null, "albums": {"totalCount": 0}})
    );
}

/// One line of an invoice.
struct Sale {
    customer: &'static str,
    country: Option<&'static str>,
    month: u32,
    cents: u32,
}

/// Four customers buy through a year: one mutation.
async fn a_year_of_sales(shop: &Caller) -> Vec<Sale> {
    let people = [
        ("Ana", Some("Brazil")),
        ("Bo", Some("Sweden")),
        ("Caio", Some("Brazil")),
        ("Dee", None),
    ];
    let mut sales = Vec::new();
    let mut customers = Vec::new();
    for (position, (customer, country)) in (1..).zip(people) {
        let mut invoices = Vec::new();
        for month in (1..=12).filter(|month| month % position == 0) {
            let lines = (1..=position).map(|quantity| {
                let (track, cents) = if quantity % 2 == 0 { (2, 199) } else { (1, 99) };
                sales.push(Sale { customer, country, month, cents: cents * quantity });
                let price = format!("{}.{:02}", cents / 100, cents % 100);
                json!({"track": {"connect": {"trackId": track}}, "unitPrice": price, "quantity": quantity})
            });
            let lines: Vec<_> = lines.collect();
            invoices.push(json!({
                "invoiceDate": format!("2025-{month:02}-1{position}T10:00:00"), "billingCountry": country,
                "invoiceLines": {"create": lines},
            }));
        }
        customers.push(json!({
            "name": customer, "country": country, "invoices": {"create": invoices},
            "supportRep": {"connect": {"name": "Rita"}},
        }));
    }
    customers.push(json!({"name": "Eve"}));
    let mutation =
        "mutation ($inputs: [CustomerInput!]!) {
        createEmployee(input: {name: \"Rita\", employeeByReportsTo: {create: {name: \"Boss\"}}}) { employeeByReportsTo { name } }
        createCustomers(inputs: $inputs) { affectedCount
        nodes { name supportRep { name } invoices { totalCount } } } }";
    let data = shop
        .ask(mutation, json!({"inputs": customers}))
        .await
        .data();
    assert_eq!(data["createCustomers"]["affectedCount"], 5);
    let customer = |name: &str, invoices: u32| {
        let rita = (invoices > 0).then(|| json!({"name": "Rita"}));
        json!({"name": name, "supportRep": rita, "invoices": {"totalCount": invoices}})
    };
    let nodes = [("Ana", 12), ("Bo", 6), ("Caio", 4), ("Dee", 3), ("Eve", 0)]
        .map(|(name, n)| customer(name, n));
    assert_eq!(data["createCustomers"]["nodes"], json!(nodes));
    sales
}

/// As Postgres prints a sum of money.
fn money(cents: u32) -> Value {
    json!(format!("{}.{:02}", cents / 100, cents % 100))
}

async fn sales_by_country_and_month(shop: &Caller, sales: &[Sale]) {
    let query = "{ invoiceLines { groups(
        by: [{invoice: {billingCountry: true}}, {invoice: {invoiceDate: {truncate: MONTH}}}], first: 100
    ) { key { invoice { billingCountry invoiceDate } } count aggregates { sum { total quantity } } } } }";
    let data = shop.query(query).await.data();
    // Nowhere comes last.
    let mut expected: BTreeMap<_, (u32, u32)> = BTreeMap::new();
    for sale in sales {
        let group = expected.entry((sale.country.is_none(), sale.country, sale.month));
        let (count, cents) = group.or_default();
        *count += 1;
        *cents += sale.cents;
    }
    let expected: Vec<_> = expected
        .into_iter()
        .map(|((_, country, month), (count, cents))| {
            json!([
                country,
                format!("2025-{month:02}-01T00:00:00"),
                count,
                money(cents)
            ])
        })
        .collect();
    let groups = data["invoiceLines"]["groups"].as_array().unwrap().iter();
    let groups: Vec<_> = groups
        .map(|group| {
            let key = &group["key"]["invoice"];
            let total = &group["aggregates"]["sum"]["total"];
            json!([
                key["billingCountry"],
                key["invoiceDate"],
                group["count"],
                total
            ])
        })
        .collect();
    assert_eq!(groups, expected);
}

async fn best_customers(shop: &Caller, sales: &[Sale]) {
    // Ana buys most often; what counts is how many invoices there are.
    let query = "{ customers(orderBy: [{invoices: {count: DESC}}, {name: ASC}], first: 2) {
        nodes { name } pageInfo { hasNextPage endCursor } } }";
    let page = shop.query(query).await.data()["customers"].take();
    assert_eq!(page["nodes"], json!([{"name": "Ana"}, {"name": "Bo"}]));
    let next = "query ($after: Cursor) { customers(orderBy: [{invoices: {count: DESC}}, {name: ASC}], after: $after) {
        nodes { name } pageInfo { hasNextPage } } }";
    let rest = shop
        .ask(next, json!({"after": page["pageInfo"]["endCursor"]}))
        .await
        .data();
    assert_eq!(
        rest["customers"],
        json!({"nodes": [{"name": "Caio"}, {"name": "Dee"}, {"name": "Eve"}], "pageInfo": {"hasNextPage": false}})
    );
    // By what they paid, from the lines.
    let mut paid: BTreeMap<_, u32> = BTreeMap::new();
    for sale in sales {
        *paid.entry(sale.customer).or_default() += sale.cents;
    }
    let query = "{ invoiceLines { groups(by: [{invoice: {customer: {name: true}}}], orderBy: [{sum: {total: DESC}}]) {
        key { invoice { customer { name } } } aggregates { sum { total } } } } }";
    let data = shop.query(query).await.data();
    let mut best: Vec<_> = paid.into_iter().collect();
    best.sort_by_key(|(_, cents)| std::cmp::Reverse(*cents));
    let best: Vec<_> = best
        .iter()
        .map(|(name, cents)| json!({"key": {"invoice": {"customer": {"name": name}}}, "aggregates": {"sum": {"total": money(*cents)}}}))
        .collect();
    assert_eq!(data["invoiceLines"]["groups"], json!(best));
}

async fn what_sells(shop: &Caller) {
    let query = r#"{
        tracks(orderBy: [{invoiceLines: {sum: {total: DESC}}}], where: {invoiceLines: {sum: {quantity: {gt: "0"}}}}) {
            nodes { name album { artist { name } } } }
        never: tracks(where: {invoiceLines: {none: {}}}, orderBy: [{name: ASC}]) { nodes { name } }
        employees(orderBy: [{name: ASC}]) { nodes { name customers { totalCount } } }
    }"#;
    let sold = |name: &str| json!({"name": name, "album": {"artist": {"name": "The Nested"}}});
    let expected = json!({
        "tracks": {"nodes": [sold("Beta"), sold("Alpha")]},
        "never": {"nodes": [{"name": "Delta"}, {"name": "Gamma"}]},
        "employees": {"nodes": [
            {"name": "Boss", "customers": {"totalCount": 0}},
            {"name": "Rita", "customers": {"totalCount": 4}},
        ]},
    });
    assert_eq!(shop.query(query).await.data(), expected);
}
