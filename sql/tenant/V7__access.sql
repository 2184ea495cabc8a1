-- What not everybody may see or change, and what even strangers see: a workspace's login page.

create table workspace (
  id int primary key default 1 check (id = 1),
  greeting text not null default '',
  logo_url text,
  plan_id text not null default 'free',
  billing_email text
);
insert into workspace default values;
revoke insert, delete on workspace from tenant;

-- No constraint: with one for each tenant, Postgres would look through thousands of triggers at each use of the plans.
comment on table workspace is '@public @write admin
@foreignKey (plan_id) references shared.plans (id)
How the workspace presents itself; its only row has the id 1.';
comment on column workspace.id is '@readonly';
comment on column workspace.greeting is 'What the login page says; empty when nobody wrote anything.';
comment on column workspace.logo_url is 'Where the login page finds a picture.';
comment on column workspace.plan_id is '@readonly The plan that the workspace is on.';
comment on column workspace.billing_email is '@read owner @write owner Where invoices go.';

alter table projects add column budget numeric(12, 2) check (budget >= 0);

comment on table projects is '@write admin A body of work with a lead and a list of issues.';
comment on column projects.budget is '@read admin What the project may cost.';
