//! Proofs on pages, by the command line, and those that are gone one day.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{change, who_is_at};
use crate::harness::dns::NameServer;
use crate::harness::service::unique;
use crate::harness::{DataDir, Service, eventually, tenantry, within};

/// A proxy that has one page for everybody, and keeps the first lines of the requests.
struct Proxy {
    address: String,
    page: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (page, asked) = (
            Arc::<Mutex<String>>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let (served, seen) = (Arc::clone(&page), Arc::clone(&asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap_or_default();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let first = request.lines().next().unwrap_or_default().to_owned();
                seen.lock().unwrap().push(first);
                let _ = stream.write_all(served.lock().unwrap().as_bytes());
            }
        });
        Self {
            address,
            page,
            asked,
        }
    }

    fn set(&self, answer: &str) {
        answer.clone_into(&mut self.page.lock().unwrap());
    }
}

/// The page that a claimed domain is to have: address and line.
async fn claim(owner: &crate::harness::Caller, host: &str) -> (String, String) {
    let mutation = "mutation ($name: String!) { addDomain(name: $name) { page { url value } } }";
    let claimed = owner.ask(mutation, json!({"name": host})).await.data();
    let page = &claimed["addDomain"]["page"];
    let text = |name: &str| page[name].as_str().unwrap().to_owned();
    (text("url"), text("value"))
}

#[tokio::test]
async fn a_page_proves_a_domain_too() {
    let (names, proxy) = (NameServer::start(), Proxy::start());
    let arguments = [
        "--dns-server",
        &names.address,
        "--domain-proxy",
        &proxy.address,
    ];
    let replica = Service::replica(&arguments).await;
    let owner = Service::shared().sign_up("paged").await.at(&replica);
    let host = format!("app.{}.test", unique("paged"));
    let (url, value) = claim(&owner, &host).await;
    let start = format!("http://{host}/.well-known/tenantry-domain-check/");
    let token = value.strip_prefix("tenantry-verification=").unwrap();
    assert!(url.starts_with(&start) && !url.contains(token), "{url}");

    for wrong in [
        "HTTP/1.1 200 OK\r\n\r\nsomething else".to_owned(),
        format!("HTTP/1.1 200 OK\r\n\r\nNo page {url} here"),
        format!("HTTP/1.1 404 Not Found\r\n\r\n{value}\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n{value}"),
    ] {
        proxy.set(&wrong);
        assert_eq!(
            change(&owner, "verifyDomain", &host).await.code(),
            "CONFLICT",
            "{wrong}"
        );
    }
    proxy.set(&format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{value}\r\n"
    ));
    change(&owner, "verifyDomain", &host).await.data();
    let asked = proxy.asked.lock().unwrap().clone();
    assert_eq!(asked, vec![format!("GET {url} HTTP/1.1"); 5]);
    within(Duration::from_secs(1), "it is the tenant's", async || {
        (who_is_at(&replica, &host, &owner).await == owner.subdomain()).then_some(())
    })
    .await;

    // From now on the service itself has the page, at this domain and for this tenant.
    let path = url.strip_prefix(&format!("http://{host}")).unwrap();
    assert_eq!(replica.host(&host).get(path).await.text.trim(), value);
    let (rest, last) = path.split_at(path.len() - 1);
    let other = format!("{rest}{}", if last == "0" { "1" } else { "0" });
    for (host, path) in [
        (&*host, &*other),
        (&owner.host, path),
        ("localhost", path),
        ("x.test", path),
    ] {
        assert_eq!(
            replica.host(host).get(path).await.status,
            404,
            "{host} {path}"
        );
    }
}

/// Whatever a domain leads to: nothing within is asked for a page.
#[tokio::test]
async fn inner_addresses_are_not_asked() {
    let names = NameServer::start();
    let replica = Service::replica(&["--dns-server", &names.address]).await;
    let owner = Service::shared().sign_up("inner").await.at(&replica);
    for inner in ["127.0.0.1", "10.0.0.1", "169.254.169.254"] {
        let host = format!("app.{}.test", unique("inner"));
        claim(&owner, &host).await;
        names.lead(&host, inner);
        assert_eq!(
            change(&owner, "verifyDomain", &host).await.code(),
            "CONFLICT"
        );
        eventually("it is told why", async || {
            let events = replica.process().events();
            let told = |event: &Value| {
                event["domain"] == host.as_str()
                    && event["problem"] == "the domain has no public address"
            };
            events.iter().any(told).then_some(())
        })
        .await;
    }
}

/// Runs a command on the database of a service.
fn run(dir: &DataDir, arguments: &[&str]) -> (i32, Value) {
    let mut command = tenantry(&["tenant", "domain"]);
    command
        .args(arguments)
        .args(["--json", "--data-dir"])
        .arg(dir.data());
    let output = command.output().unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), json)
}

#[tokio::test]
async fn a_domain_whose_proof_is_gone_is_given_up() {
    let names = NameServer::start();
    let dns = ["--dns-server", &names.address];
    let service = Service::dev(&[]);
    let owner = service.sign_up("lost").await;
    let tenant = owner.subdomain();
    let dir = service.dir();
    let (code, added) = run(dir, &["add", tenant, "App.Lost.Test"]);
    assert_eq!((code, &added[0]["name"]), (0, &json!("app.lost.test")));
    let verify = [&["verify", tenant, "app.lost.test"], &dns[..]].concat();
    assert_eq!(run(dir, &verify).0, 4, "nothing is there");
    let record = &added[0]["record"];
    let (name, value) = (
        record["name"].as_str().unwrap(),
        record["value"].as_str().unwrap(),
    );
    names.set(name, &[value]);
    assert_eq!(run(dir, &verify).1[0]["verified"], true);
    assert_eq!(run(dir, &["list", tenant]).1[0]["verified"], true);
    assert_eq!(run(dir, &["add", tenant, "127.0.0.1"]).0, 4);
    assert_eq!(run(dir, &["remove", tenant, "other.test"]).0, 4);
    assert_eq!(run(dir, &["list", "no-such-tenant"]).0, 3);

    let psql = service.psql().await;
    let state = async || {
        let text = "select concat_ws(' ', verified_at is not null, lost_at is not null) from tenantry.domains
                    where checked_at > now() - interval '1 hour'";
        let row = psql.query_opt(text, &[]).await.unwrap();
        row.map(|row| row.get::<_, String>(0))
    };
    // A replica that starts looks at what nobody has looked at for a day.
    let look = async |older: &str, wanted: &str| {
        let sql = format!(
            "update tenantry.domains set checked_at = now() - interval '25 hours', {older}"
        );
        psql.batch_execute(&sql).await.unwrap();
        let replica = service.beside("watch", None, &dns).await;
        eventually(wanted, async || {
            (state().await.as_deref() == Some(wanted)).then_some(())
        })
        .await;
        // It looks whether there is more, and is not to take what comes next.
        tokio::time::sleep(Duration::from_millis(500)).await;
        replica
    };
    look("lost_at = now()", "t f").await;
    names.set(name, &["something else"]);
    let replica = look("lost_at = null", "t t").await;
    let mail = eventually("the owner is told", async || {
        let events = replica.process().events();
        let told = events.iter().find(|event| {
            event["mail"]
                .as_str()
                .is_some_and(|mail| mail.contains("DomainLost"))
        });
        told.cloned()
    });
    mail.await;
    look("lost_at = now() - interval '13 days'", "t t").await;
    assert_eq!(who_is_at(&service, "app.lost.test", &owner).await, tenant);
    let replica = look("lost_at = now() - interval '15 days'", "f t").await;
    for place in [&service, &replica] {
        within(Duration::from_secs(1), "it is nobody's", async || {
            let found = who_is_at(place, "app.lost.test", &owner).await;
            (found == "TENANT_NOT_FOUND").then_some(())
        })
        .await;
    }
    let log = "{ currentTenant { auditLog(where: {action: \"unverifyDomain\"}) { nodes { actor { kind } } } } }";
    let log = owner.query(log).await.data();
    assert_eq!(
        log["currentTenant"]["auditLog"]["nodes"][0]["actor"]["kind"],
        "service"
    );
}
