//! What files would do to tables in use is told before they run.

use super::Fleet;

#[tokio::test]
async fn what_is_risky_is_told_and_done_all_the_same() {
    let fleet = Fleet::of(3).await;
    fleet.write(
        "V2__bare.sql",
        "-- Nobody reads them.\nalter table notes drop column body;\n",
    );
    let before = fleet.contents().await;
    for arguments in [&["--dry-run"][..], &["--no-rehearsal", "--atomic"]] {
        assert_eq!(fleet.contents().await, before);
        let (status, text) = fleet.run(arguments);
        assert_eq!(status, 0, "{text}");
        for part in [
            "warning[drops-column]: what notes.body holds is lost",
            "--> V2__bare.sql:2",
            "comment on column notes.body is '@omit';",
        ] {
            assert_eq!(text.matches(part).count(), 1, "{part}: {text}");
        }
    }
    assert_eq!(fleet.versions().await, "2:3");
    // Where nothing is pending nobody looks.
    let (status, text) = fleet.run(&[]);
    assert_eq!((status, text.contains("warning")), (0, false), "{text}");
}

#[tokio::test]
async fn findings_are_events_and_may_be_allowed() {
    let fleet = Fleet::of(2).await;
    fleet.write(
        "V2__index.sql",
        "create index on notes (body);\n\
         -- tenantry: allow renames-table both names were tried\n\
         alter table notes rename to remarks;\n",
    );
    fleet.write(
        "V3__later.sql",
        "-- tenantry: no transaction\ncreate index concurrently remarks_body on remarks (body);\n",
    );
    let findings = |events: Vec<serde_json::Value>| {
        let found = events.into_iter();
        let found: Vec<_> = found.filter(|event| event["event"] == "finding").collect();
        let [found] = &found[..] else {
            panic!("{found:#?}")
        };
        // Nobody has many notes.
        assert_eq!(found["level"], "note");
        assert_eq!(found["rule"], "builds-index");
        assert_eq!(
            (&found["file"], &found["line"]),
            (&"V2__index.sql".into(), &1.into())
        );
    };
    findings(fleet.events(&["--dry-run"]));
    let events = fleet.events(&[]);
    assert_eq!(events.last().unwrap()["result"], "done", "{events:?}");
    // Before anything else is done.
    let place = |name: &str| events.iter().position(|event| event["event"] == name);
    assert!(place("finding") < place("phase"), "{events:?}");
    findings(events);
    fleet.assert_equal().await;
}

#[tokio::test]
async fn a_file_that_fails_is_told_of_once() {
    let fleet = Fleet::of(2).await;
    fleet.write("V2__typo.sql", "alter table notes add stars itn;\n");
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 7, "{text}");
    assert!(!text.contains("error[fails]"), "{text}");
    // Nothing else would tell here.
    let (status, text) = fleet.run(&["--dry-run"]);
    assert_eq!(status, 0, "{text}");
    assert!(
        text.contains("error[fails]: this fails: type \"itn\""),
        "{text}"
    );
}

#[tokio::test]
async fn files_for_shared_tables_are_told_of_too_and_change_nothing_when_they_fail() {
    let fleet = Fleet::of(2).await;
    let shared = fleet.service.dir().join("for-all");
    std::fs::create_dir(&shared).unwrap();
    let write = |file: &str, sql: &str| std::fs::write(shared.join(file), sql).unwrap();
    let option = ["--shared-sql", shared.to_str().unwrap()];
    write(
        "V1__countries.sql",
        "create table countries (code text primary key, name text);\n",
    );
    let (status, text) = fleet.run(&option);
    assert_eq!((status, text.contains("warning")), (0, false), "{text}");

    write("V2__bare.sql", "alter table countries drop column name;\n");
    write("V3__typo.sql", "alter table countries add area itn;\n");
    let state = "select concat_ws(' ',
        (select string_agg(column_name, ',' order by 1) from information_schema.columns
         where table_schema = 'shared' and table_name = 'countries'),
        (select max(version) from shared.tenantry_shared_history))";
    let before = fleet.scalar(state).await;
    assert_eq!(before, "code,name 1");
    let (status, text) = fleet.run(&option);
    assert_eq!(status, 7, "{text}");
    assert!(
        text.contains("V3__typo.sql, line 1: type \"itn\""),
        "{text}"
    );
    assert_eq!(fleet.scalar(state).await, before);

    std::fs::remove_file(shared.join("V3__typo.sql")).unwrap();
    for arguments in [&["--dry-run"][..], &[]] {
        assert_eq!(fleet.scalar(state).await, before);
        let (status, text) = fleet.run(&[&option[..], arguments].concat());
        assert_eq!(status, 0, "{text}");
        let warning = "warning[drops-column]: what countries.name holds is lost";
        assert_eq!(text.matches(warning).count(), 1, "{text}");
    }
    assert_eq!(fleet.scalar(state).await, "code 2");
}
