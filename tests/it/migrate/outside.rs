//! Files that make something outside of the tenant's schema.

use super::Fleet;

const OUTSIDE: &str = "do $$ begin\n  perform set_config('search_path', 'public', true);\n  \
    begin create table left_behind (id int); exception when division_by_zero then null; end;\nend $$;\n";

#[tokio::test]
async fn nothing_stays_outside_of_the_tenants_schemas() {
    let fleet = Fleet::of(3).await;
    fleet.write("V2__outside.sql", OUTSIDE);
    let before = fleet.contents().await;
    let anywhere = "select count(*)::text from pg_class where relname = 'left_behind'";
    for (arguments, expected) in [(&[][..], 7), (&["--no-rehearsal"], 6)] {
        let (status, text) = fleet.run(arguments);
        assert_eq!(status, expected, "{text}");
        let told = "the files make the table public.left_behind outside of the tenant's schema";
        assert!(text.contains(told), "{text}");
        assert_eq!(fleet.versions().await, "1:3");
        assert_eq!(fleet.scalar(anywhere).await, "0");
    }
    assert_eq!(fleet.contents().await, before);
    // What is there already is nobody's fault, and neither is what is thrown away.
    let harmless = "create table if not exists public.left_behind (id int); create temp table t (id int); drop table t;";
    fleet.write("V2__outside.sql", harmless);
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.scalar(anywhere).await, "3");
}
