-- Projects, which issues belong to.

create function touch_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;

create table projects (
  id uuid primary key default gen_random_uuid(),
  key text not null unique check (key ~ '^[A-Z][A-Z0-9]{1,9}$'),
  name text not null check (name ~ '\S'),
  description text not null default '',
  topics text[] not null default '{}',
  lead_id uuid references users on delete set null,
  last_issue_number int not null default 0 check (last_issue_number >= 0),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index projects_lead_id_idx on projects (lead_id);

-- Numbering an issue is not a change of the project; and a time that is set on purpose (an import) stays.
create trigger projects_touch before update on projects for each row
  when (new.last_issue_number = old.last_issue_number and new.updated_at = old.updated_at)
  execute function touch_updated_at();

comment on table projects is 'A body of work with a lead and a list of issues.';
comment on column projects.key is
  'Short name in capitals, such as SHOP; the first half of what people call an issue: SHOP-12.';
comment on column projects.name is 'What people call the project.';
comment on column projects.description is 'What the project is for; empty when nobody wrote it down.';
comment on column projects.topics is 'Words to find the project by, such as hardware or web.';
comment on column projects.lead_id is 'Who answers for the project.';
comment on column projects.last_issue_number is '@omit
The highest number given to an issue of the project so far.';
comment on column projects.archived_at is 'When the project was put away; null while it is in use.';
comment on column projects.created_at is '@readonly
When the project was made.';
comment on column projects.updated_at is '@readonly
When the project itself, not one of its issues, last changed.';
