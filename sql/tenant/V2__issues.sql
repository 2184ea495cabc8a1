-- Issues, numbered within their project.

create type issue_status as enum ('open', 'in_progress', 'in_review', 'done', 'cancelled');
create type issue_priority as enum ('low', 'medium', 'high', 'urgent');

create table issues (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  number int not null default 0 check (number >= 0),
  title text not null check (title ~ '\S' and char_length(title) <= 200),
  body text not null default '',
  status issue_status not null default 'open',
  priority issue_priority not null default 'medium',
  reporter_id uuid not null default tenantry.user_id() references users,
  assignee_id uuid references users on delete set null,
  due_date date,
  estimate_hours numeric(5, 1) check (estimate_hours > 0),
  custom_fields jsonb not null default '{}' check (jsonb_typeof(custom_fields) = 'object'),
  closed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (project_id, number),
  check ((status in ('done', 'cancelled')) = (closed_at is not null))
);

create index issues_project_id_status_idx on issues (project_id, status, created_at);
create index issues_assignee_id_status_idx on issues (assignee_id, status);
create index issues_reporter_id_idx on issues (reporter_id);
create index issues_due_date_idx on issues (due_date);
create index issues_created_at_idx on issues (created_at);

-- 0, the default, asks for the next number. The counter's row lock makes a second session wait for the first, where
-- max(number) + 1 would give both the same one. If the project does not exist, the number stays 0 and the foreign key
-- says what is wrong.
create function assign_issue_number() returns trigger language plpgsql as $$
declare
  latest int;
begin
  new.number := coalesce(new.number, 0);
  if tg_op = 'UPDATE' and new.project_id <> old.project_id and new.number = old.number then
    new.number := 0;  -- moved to another project, where this number may be taken
  end if;

  update projects
    set last_issue_number = greatest(last_issue_number + (new.number = 0)::int, new.number)
    where id = new.project_id and (new.number = 0 or new.number > last_issue_number)
    returning last_issue_number into latest;
  if found and new.number = 0 then
    new.number := latest;
  end if;
  return new;
end $$;

create function keep_closed_at() returns trigger language plpgsql as $$
begin
  new.closed_at := case when new.status in ('done', 'cancelled') then coalesce(new.closed_at, now()) end;
  return new;
end $$;

create trigger issues_number before insert or update of project_id, number on issues for each row
  execute function assign_issue_number();
create trigger issues_closed_at before insert or update of status, closed_at on issues for each row
  execute function keep_closed_at();
create trigger issues_touch before update on issues for each row
  when (new.updated_at = old.updated_at) execute function touch_updated_at();

comment on type issue_status is 'How far an issue has come; done and cancelled issues are closed.';
comment on type issue_priority is 'How soon an issue needs somebody, from low to urgent.';
comment on table issues is 'Something to fix, build or find out, in one project.';
comment on column issues.number is
  'Counts from 1 within the project; the next one when omitted, and a new one when the issue moves to another project.';
comment on column issues.title is 'The issue in one line of at most 200 characters.';
comment on column issues.body is 'The whole story, in Markdown; empty when the title says it all.';
comment on column issues.reporter_id is 'Who filed the issue; the current user when omitted.';
comment on column issues.assignee_id is 'Who works on the issue; null while nobody does.';
comment on column issues.due_date is 'The day by which it should be done.';
comment on column issues.estimate_hours is 'Hours of work expected.';
comment on column issues.custom_fields is
  'Facts that only some teams record, such as the build or the lot number, as one JSON object.';
comment on column issues.closed_at is '@readonly
When the issue became done or cancelled; null while it is neither.';
comment on column issues.created_at is '@readonly
When the issue was filed.';
comment on column issues.updated_at is '@readonly
When the issue itself, not one of its comments, last changed.';
