//! Files that are written while `tenantry dev` runs.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot::error::TryRecvError;

use crate::harness::{Caller, DataDir, Service, eventually, tenantry};

const THINGS: &str = "create table things (id int primary key, name text not null);
    insert into things values (1, 'one'), (2, 'two');";

/// A `dev` whose files are written as it runs.
struct Workshop {
    service: Service,
    tables: PathBuf,
}

impl Workshop {
    fn open() -> Self {
        let service = Service::with_tables(THINGS);
        let tables = service.dir().join("tables");
        Self { service, tables }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.tables.join(name), text).unwrap();
    }

    async fn owner(&self, tenant: &str) -> Caller {
        self.service.tenant(tenant).owner().await
    }

    fn count(&self, event: &str) -> usize {
        let events = self.service.process().events();
        events
            .iter()
            .filter(|logged| logged["message"] == event)
            .count()
    }
}

/// Asks until there is an answer.
async fn answered(caller: &Caller, query: &str) -> Value {
    eventually(query, async || {
        let answer = caller.query(query).await.json();
        answer
            .get("errors")
            .is_none()
            .then(|| answer["data"].clone())
    })
    .await
}

#[tokio::test]
async fn what_is_written_is_there_at_once_for_everybody() {
    let workshop = Workshop::open();
    let [acme, globex] = [workshop.owner("acme").await, workshop.owner("globex").await];

    // Nobody waits, and nobody is told of the change by an error.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let asking = tokio::spawn({
        let acme = acme.clone();
        async move {
            let mut stopped = stopped;
            let mut count = 0;
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                let data = acme.query("{ things { nodes { name } } }").await.data();
                assert_eq!(data["things"]["nodes"][1]["name"], "two");
                count += 1;
            }
            count
        }
    });
    workshop.write(
        "V2__notes.sql",
        "alter table things add note text not null default 'new';",
    );
    workshop.write(
        "V3__parts.sql",
        "create table parts (id int primary key, thing_id int references things);",
    );
    for caller in [&acme, &globex] {
        let data = answered(caller, "{ things { nodes { note parts { totalCount } } } }").await;
        let thing = json!({"note": "new", "parts": {"totalCount": 0}});
        assert_eq!(data["things"]["nodes"], json!([thing, thing]));
    }
    workshop.write("V4__colors.sql", "alter table parts add color text;");
    answered(&globex, "{ parts { nodes { color } } }").await;
    drop(stop);
    assert!(asking.await.unwrap() > 0);

    // So it is for those who come later, and their seed may change, too.
    workshop.write(
        "seed.sql",
        "insert into parts (id, thing_id, color) values (7, 1, 'red');",
    );
    eventually("the seed is read", async || {
        (workshop.count("read the SQL files again") > 2).then_some(())
    })
    .await;
    let late = workshop.service.sign_up("late").await;
    let data = late
        .query("{ parts { nodes { color thing { note } } } }")
        .await
        .data();
    assert_eq!(
        data["parts"]["nodes"],
        json!([{"color": "red", "thing": {"note": "new"}}])
    );
    assert_eq!(
        answered(&acme, "{ parts { totalCount } }").await["parts"]["totalCount"],
        0
    );

    // Tables that tenants share come to be while the service runs.
    let shared = workshop.service.dir().join("shared");
    std::fs::create_dir(&shared).unwrap();
    let countries =
        "create table countries (code text primary key); insert into countries values ('IS');";
    std::fs::write(shared.join("V1__countries.sql"), countries).unwrap();
    for caller in [&late, &acme] {
        let data = answered(caller, "{ countries { nodes { code } } }").await;
        assert_eq!(data["countries"]["nodes"], json!([{"code": "IS"}]));
    }
}

#[tokio::test]
async fn a_file_that_has_been_begun_is_left_alone() {
    let workshop = Workshop::open();
    let acme = workshop.owner("acme").await;
    let output = tenantry(&["migration", "new", "Due dates", "--tenant-sql"])
        .arg(&workshop.tables)
        .output()
        .unwrap();
    let file = String::from_utf8(output.stdout).unwrap();
    assert!(file.ends_with("tables/V2__due_dates.sql\n"), "{file}");
    eventually("the file is seen", async || {
        (workshop.count("read the SQL files again") > 0).then_some(())
    })
    .await;
    let file = PathBuf::from(file.trim_end());
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text + "alter table things add due_on date;\n").unwrap();
    answered(&acme, "{ things { nodes { dueOn } } }").await;
}

/// What `GraphiQL` hears.
struct Events {
    response: reqwest::Response,
    unread: String,
}

impl Events {
    async fn of(caller: &Caller) -> Self {
        let request = caller.request(Method::GET, "/graphiql/events");
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            unread: String::new(),
        }
    }

    /// None at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let data = event
                    .strip_prefix("data: ")
                    .map(|data| serde_json::from_str(data).unwrap());
                let rest = rest.to_owned();
                self.unread = rest;
                if data.is_some() {
                    return data;
                }
                continue; // a comment that keeps the connection alive
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn problem(&mut self) -> String {
        let news = self.next().await.unwrap();
        news["problem"]
            .as_str()
            .unwrap_or_else(|| panic!("{news}"))
            .to_owned()
    }

    /// The name of the schema, when nothing is wrong.
    async fn well(&mut self) -> String {
        let news = self.next().await.unwrap();
        assert_eq!(news["problem"], Value::Null);
        news["schema"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_and_changes_nothing() {
    let workshop = Workshop::open();
    let acme = workshop.owner("acme").await;
    let mut events = Events::of(&acme).await;
    let first = events.well().await;
    let config = acme.get("/graphiql/config.json").await.json();
    assert_eq!(config["schema"], first.as_str());

    workshop.write("V2__more.sql", "alter table things\n  add weight itn;");
    let problem = events.problem().await;
    assert!(
        problem.contains("V2__more.sql, line 2: type \"itn\" does not exist"),
        "{problem}"
    );
    acme.query("{ things { totalCount } }").await.data();
    // Two columns that want one field: the tables could be made, and there would be no API of them.
    workshop.write(
        "V2__more.sql",
        "alter table things add \"fullName\" text, add full_name text;",
    );
    let problem = events.problem().await;
    assert!(
        problem.contains("fullName") && problem.contains("@name"),
        "{problem}"
    );
    let late = workshop.service.sign_up("meanwhile").await;
    late.query("{ things { nodes { name } } }").await.data();
    workshop.write("V2__more.sql", "alter table things add weight int;");
    let second = events.well().await;
    assert_ne!(first, second);
    acme.query("{ things { nodes { weight } } }").await.data();
    late.query("{ things { nodes { weight } } }").await.data();

    // What has run is not run again.
    workshop.write(
        "V2__more.sql",
        "alter table things add weight int, add height int;",
    );
    let problem = events.problem().await;
    assert!(problem.contains("V2__more"), "{problem}");
    acme.query("{ things { nodes { weight } } }").await.data();
    workshop.write("V2__more.sql", "alter table things add weight int;");
    assert_eq!(events.well().await, second);
    std::fs::remove_file(workshop.tables.join("V2__more.sql")).unwrap();
    let problem = events.problem().await;
    assert!(problem.contains("V2__more"), "{problem}");
    workshop.write("V2__more.sql", "alter table things add weight int;");
    assert_eq!(events.well().await, second);

    // The page that listens does not keep the service from stopping.
    let mut service = workshop.service;
    service.process().signal(Signal::SIGTERM);
    assert_eq!(events.next().await, None);
    assert!(service.wait().success());
}

#[tokio::test]
async fn trusted_documents_that_fit_no_more_are_told() {
    let dir = DataDir::new();
    let (tables, documents) = (dir.join("tables"), dir.join("documents"));
    for place in [&tables, &documents] {
        std::fs::create_dir(place).unwrap();
    }
    std::fs::write(tables.join("V1__things.sql"), THINGS).unwrap();
    std::fs::write(
        documents.join("Names.graphql"),
        "query Names { things { nodes { name } } }",
    )
    .unwrap();
    let arguments = ["--tenant-sql", tables.to_str().unwrap()];
    let trusted = ["--trusted-documents", documents.to_str().unwrap()];
    let service = Service::dev_in(dir, &[arguments, trusted].concat());
    let mut events = Events::of(&service.tenant("acme").anonymous()).await;
    events.well().await;
    let rename = "alter table things rename name to title;";
    std::fs::write(tables.join("V2__titles.sql"), rename).unwrap();
    let problem = events.problem().await;
    assert!(
        problem.contains("Names.graphql") && problem.contains("name"),
        "{problem}"
    );
    // Said in the terminal, too: what breaks clients.
    let logged = service.process().log_text();
    assert!(
        logged.contains("Thing.name was removed: this breaks clients"),
        "{logged}"
    );
}

#[tokio::test]
async fn what_would_be_risky_elsewhere_is_told() {
    let workshop = Workshop::open();
    let acme = workshop.owner("acme").await;
    workshop.write(
        "V2__note.sql",
        "alter table things add note text;\n\ncreate index on things (note);\n",
    );
    answered(&acme, "{ things { nodes { note } } }").await;
    let logged = workshop.service.process().events();
    let warned = logged.iter().find_map(|event| {
        let message = event["message"].as_str()?;
        message.contains("[builds-index]").then_some(message)
    });
    let warned = warned.expect("a warning");
    assert!(
        warned.starts_with("V2__note.sql, line 3: nobody can write to things while"),
        "{warned}"
    );
    assert!(warned.contains("create index concurrently"), "{warned}");
}

#[tokio::test]
async fn nobody_listens_at_a_replica() {
    let replica = Service::replica(&[]).await;
    let acme = replica.tenant("acme").anonymous();
    assert_eq!(acme.get("/graphiql/events").await.status, 404);
    assert_eq!(
        acme.get("/graphiql/config.json").await.json().get("schema"),
        None
    );
}
