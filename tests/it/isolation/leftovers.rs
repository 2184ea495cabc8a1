//! What functions and triggers leave in the server's session is gone before anybody else comes.

use serde_json::json;

use crate::harness::{DataDir, Service};

const TABLES: &str = "
create table notes (id int primary key, body text not null);
create function leave_traces() returns trigger language plpgsql as $$ begin
  perform set_config('app.cache', new.body, false), set_config('timezone', 'Asia/Tokyo', false);
  perform pg_advisory_lock(42);
  create temporary table if not exists scratch (body text);
  return new;
end $$;
create trigger traces before insert on notes for each row execute function leave_traces();
create function traces() returns text language sql stable as $$
  select concat_ws('|', nullif(current_setting('app.cache', true), ''), current_setting('timezone'),
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
    to_regclass('pg_temp.scratch'))
$$;";

#[tokio::test]
async fn nothing_stays_in_the_session_for_another_tenant() {
    let dir = DataDir::new();
    let tables = dir.join("tables");
    std::fs::create_dir(&tables).unwrap();
    std::fs::write(tables.join("V1__tables.sql"), TABLES).unwrap();
    let arguments = ["--tenant-sql", tables.to_str().unwrap(), "--lanes", "1"];
    let service = Service::dev_in(dir, &arguments);
    let acme = service.tenant("acme").owner().await;
    let globex = service.tenant("globex").owner().await;
    let create = "mutation ($id: Int!) { createNote(input: {id: $id, body: \"secret\"}) { id } }";
    // Unnamed, prepared, and after a transaction that was rolled back.
    for id in [1, 2, 3, 3] {
        let answer = acme.ask(create, json!({"id": id})).await;
        assert!(!answer.text.contains("INTERNAL"), "{answer:?}");
        for other in [&globex, &acme] {
            let data = other.query("{ traces }").await.data();
            assert_eq!(data["traces"], "UTC|0");
        }
    }
}
