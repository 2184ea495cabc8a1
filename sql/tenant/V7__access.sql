-- What not everybody may see or change, and what even strangers see: a workspace's login page.

create table workspace (
  id int primary key default 1 check (id = 1),
  greeting text not null default '',
  logo_url text,
  billing_email text
);
insert into workspace default values;
revoke insert, delete on workspace from tenant;

comment on table workspace is '@public @write admin How the workspace presents itself; its only row has the id 1.';
comment on column workspace.id is '@readonly';
comment on column workspace.greeting is 'What the login page says; empty when nobody wrote anything.';
comment on column workspace.logo_url is 'Where the login page finds a picture.';
comment on column workspace.billing_email is '@read owner @write owner Where invoices go.';

alter table projects add column budget numeric(12, 2) check (budget >= 0);

comment on table projects is '@write admin A body of work with a lead and a list of issues.';
comment on column projects.budget is '@read admin What the project may cost.';
