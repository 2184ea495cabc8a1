//! `--pooler`: through a real `PgBouncer` in transaction mode, where the next transaction may run on
//! another connection than the last.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use futures_util::future::join_all;

use crate::harness::Service;
use crate::harness::process::DataDir;

/// Two connections to Postgres, for everybody.
const SERVER_CONNECTIONS: usize = 2;
const QUERY: &str = "query ($text: String!) { viewer { email }
    issues(first: 3, where: {title: {ne: $text}, status: {in: [OPEN, DONE]}}) { totalCount nodes { title } } }";

#[tokio::test]
async fn tenants_stay_apart_behind_a_pooler() {
    if Command::new("pgbouncer").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "pgbouncer is missing: apt-get install pgbouncer"
        );
        eprintln!("skipped: pgbouncer is missing (apt-get install pgbouncer)");
        return;
    }
    let service = Service::dev(&[]);
    let psql = service.psql().await;
    let login = "create role pooled login noinherit password 'pooled'; alter role pooled set timezone = 'UTC'";
    psql.batch_execute(login).await.unwrap();
    let pooler = Pooler::start(service.dir(), &service.dir().read("database-url"));

    let requests = format!(
        "postgresql://pooled:pooled@127.0.0.1:{}/tenantry",
        pooler.port
    );
    let arguments = &["--pooler", "--lanes", "2", "--lane-connections", "4"];
    let replica = service.beside("pooled", Some(&requests), arguments).await;

    let mut owners = vec![
        service.tenant("acme").owner().await,
        service.tenant("globex").owner().await,
    ];
    for _ in 0..4 {
        owners.push(service.sign_up("pooled").await);
    }
    let owners: Vec<_> = owners.iter().map(|owner| owner.at(&replica)).collect();
    let requests = (0..120).map(|index| {
        let owner = &owners[index % owners.len()];
        async move {
            let variables = serde_json::json!({"text": format!("no such title {index}")});
            let data = owner.ask(QUERY, variables).await.data();
            let email = data["viewer"]["email"].as_str().unwrap().to_owned();
            assert!(
                email.ends_with(&format!("@{}.test", owner.subdomain())),
                "{email}"
            );
        }
    });
    join_all(requests).await;
    let opened = "select count(*)::int4 from pg_stat_activity where usename = 'pooled'";
    let opened: i32 = psql.query_one(opened, &[]).await.unwrap().get(0);
    assert!(
        usize::try_from(opened).unwrap() <= SERVER_CONNECTIONS,
        "{opened}"
    );
    let left =
        "select count(*)::int4 from pg_stat_activity where usename = 'pooled' and state <> 'idle'";
    assert_eq!(psql.query_one(left, &[]).await.unwrap().get::<_, i32>(0), 0);
}

/// A running `PgBouncer`.
struct Pooler {
    process: Child,
    port: u16,
}

impl Pooler {
    fn start(dir: &DataDir, database_url: &str) -> Self {
        let server = database_url.rsplit(['@', '/']).nth(1).unwrap();
        let (host, server_port) = server.split_once(':').unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let (ini, users) = (dir.join("pgbouncer.ini"), dir.join("users.txt"));
        let settings = format!(
            "[databases]\ntenantry = host={host} port={server_port} dbname=tenantry\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {SERVER_CONNECTIONS}\nmax_client_conn = 200\n",
            users.display()
        );
        std::fs::write(&ini, settings).unwrap();
        std::fs::write(&users, "\"pooled\" \"pooled\"\n").unwrap();
        let mut command = Command::new("pgbouncer");
        if nix::unistd::Uid::effective().is_root() {
            let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
            command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        }
        let process = command
            .args(["--quiet"])
            .arg(&ini)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, port }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
