-- A year of work on the issues that `demo_acme.sql` or `demo_globex.sql` filed: who, when, how far, and what was said about it.

-- Chance is a hash of the issue's key and number, so that every run tells the same story, relative to today.

-- The company is older than its first issue, and has long put the tour away.
update users set created_at = now() - interval '400 days' where role = 'owner';
update issues set status = 'done', created_at = now() - interval '395 days',
    closed_at = now() - interval '392 days', updated_at = now() - interval '392 days'
  where project_id = (select id from projects where key = 'START');
update projects set archived_at = now() - interval '390 days', updated_at = now() - interval '390 days',
    created_at = now() - interval '400 days'
  where key = 'START';
update projects set created_at = now() - interval '375 days', updated_at = now() - interval '375 days'
  where key <> 'START';

-- Who, when and how far. dice has 17 numbers from 0 to 99 for every issue.
with endings (craft, kind, sentences) as (values
  ('hardware', 'bug', 'Lot {lot}, {n} of 40 checked.|Found at goods-out, lot {lot}.|Reported by a dealer, lot {lot}.|Photos are in the shared folder under {lot}.'),
  ('software', 'bug', 'Build {build}, production.|Seen in {build}, on staging and in production.|First seen in {build}.|Build {build}; the log is attached.'),
  ('field', 'bug', 'Logger {lot}.|Noticed by the night shift, logger {lot}.|Logger {lot}, last visit {n} months ago.|Found by the plausibility check of logger {lot}.'),
  ('any', 'feature', 'Out of scope for now: anything that needs a new contract.|See also the notes of the last planning.|A first version for {n} friendly customers would be enough.|**Done when** somebody outside of the team has used it.'),
  ('any', 'task', '**Done when** the lead has signed it off.|Last time it took {n} days.|Please note the hours, we plan next year with them.|If it gets in the way of the release, it can wait.')
),
thrown as (
  select
    issues.id, number, lead_id, body,
    abs(hashtextextended(key, 0) % 100)::int as team,
    case
      when 'hardware' = any (topics) then 'hardware'
      when 'field' = any (topics) then 'field'
      else 'software'
    end as craft,
    (select labels.name from issue_labels join labels on labels.id = label_id
      where issue_id = issues.id and labels.name in ('bug', 'feature', 'task')) as kind,
    -- The last issue is some days old, the first one a year.
    1 + abs(hashtextextended(key, 1) % 3)::int
      + floor(364 * power(1 - number::float / last_issue_number, 1.3))::int as age,
    (select array_agg(abs(hashtextextended(key || '-' || number, salt) % 100)::int order by salt)
      from generate_series(81, 97) as salt) as dice
  from issues join projects on projects.id = project_id
  where key <> 'START'
),
dated as (
  select *,
    case
      when age < 4 then 'open'
      when dice[1] < least(84, 20 + age * 0.45) then case when dice[2] < 12 then 'cancelled' else 'done' end
      when age < 130 and dice[2] < 30 then 'in_progress'
      when age < 130 and dice[2] < 48 then 'in_review'
      else 'open'
    end::issue_status as status,
    -- Nobody files issues on a Saturday or Sunday: they move to the Friday before.
    day - greatest(extract(isodow from day)::int - 5, 0)
      + time '07:50' + dice[3] * interval '6 minutes 7 seconds' as created_at
  from thrown, lateral (select current_date - age as day) as days
),
closed as (
  select *,
    case when status in ('done', 'cancelled') then
      date_trunc('day', created_at) + interval '1 day' * (1 + floor((least(age, 90) - 3) * power(dice[4] / 100.0, 2)))
        + time '08:10' + dice[5] * interval '6 minutes 11 seconds'
    end as closed_at
  from dated
),
staffed as (
  select
    closed.*, people.ids,
    people.ids[1 + dice[6] % cardinality(people.ids)] as reporter_id,
    '4.' || 12 - age / 31 || '.' || dice[7] % 6 as build,
    case closed.craft when 'field' then 'K' else 'L' end || 2000 + dice[8] * 9 as lot,
    -- About half of the issues have a last paragraph, unless the build or the lot was named before it.
    case when body ~ '{(build|lot)}' then ''
      else coalesce(E'\n\n' || (string_to_array(sentences, '|'))[1 + dice[17] % 8], '')
    end as ending
  from closed
  join endings on endings.craft in (closed.craft, 'any') and endings.kind = closed.kind
  cross join lateral (
    select array_agg(users.id order by email) as ids from users where users.created_at < closed.created_at
  ) as people
)
update issues set
  body = replace(replace(replace(issues.body || ending,
    '{build}', build),
    '{lot}', lot),
    '{n}', (2 + dice[9] % 7)::text),
  status = staffed.status,
  priority = (case
    when dice[10] < 5 then 'urgent'
    when dice[10] < case kind when 'bug' then 34 else 18 end then 'high'
    when dice[10] < 80 then 'medium'
    else 'low'
  end)::issue_priority,
  reporter_id = staffed.reporter_id,
  assignee_id = case
    when staffed.status = 'open' and dice[11] < 45 then null
    when staffed.status = 'cancelled' and dice[11] < 50 then null
    when dice[12] < 20 then lead_id
    else ids[1 + (team + dice[12] % 4) % cardinality(ids)]
  end,
  due_date = case
    when staffed.closed_at is null and dice[13] < 45
      then greatest(current_date - 25 + dice[14], staffed.created_at::date + 5)
    when staffed.closed_at is not null and dice[13] < 25
      then greatest(staffed.closed_at::date - 4 + dice[14] / 10, staffed.created_at::date + 1)
  end,
  estimate_hours = case when dice[15] < 60 then
    (array[0.5, 1, 2, 2, 3, 4, 4, 6, 8, 8, 12, 16, 24, 40])[1 + dice[16] % 14]
  end,
  custom_fields = jsonb_strip_nulls(jsonb_build_object(
    'lot', case when kind = 'bug' and craft = 'hardware' then lot end,
    'logger', case when kind = 'bug' and craft = 'field' then lot end,
    'build', case when kind = 'bug' and craft = 'software' then build end,
    'requests', case when kind = 'feature' then 1 + dice[9] end
  )),
  created_at = staffed.created_at,
  closed_at = staffed.closed_at,
  updated_at = coalesce(staffed.closed_at, staffed.created_at + (now() - staffed.created_at) * dice[16] / 120.0)
from staffed where staffed.id = issues.id;

insert into issue_labels (issue_id, label_id)
select issues.id, labels.id from issues, labels
where labels.name = 'good first issue' and priority = 'low' and closed_at is null;

-- What was said: an opener, and in about half of the comments a second sentence.
with remarks (stage, crafts, kind, openers, followers) as (values
  ('first', 'hardware', 'bug',
    'Thanks {other}, good find.|Seen on lot {lot} as well.|I checked {n} more this morning and the numbers hold.|Only {n} of 40 show it, so it is not the drawing.|I could not see it on the bench, so it must have to do with how it is mounted.|We had this two years ago, and then it was the supplier.|Photos are in the shared folder.|That explains the complaint from last week.',
    'I will have a closer look on Thursday.|Can you keep the affected ones aside?|Do we know since when?|Until then I would not ship any.|The records of lot {lot} may tell more.|Raising it in the Monday round.'),
  ('first', 'software', 'bug',
    'I can reproduce it with {build}.|Not on my machine, but on staging every time.|Thanks {other}, your description made it easy to find.|The log shows it {n} times since Monday.|It started with {build}; the build before is fine.|Confirmed, and I think I know where to look.|We have seen the same cause before, in spring.|Happens to about {n} in a thousand cases, according to the metrics.',
    'I am adding a failing test first.|Can you send me the log of that hour?|It is not urgent, but embarrassing.|Let us fix the cause this time and not the symptom.|Not a data problem, as far as I can see.|I will look into it after the release.'),
  ('first', 'field', 'bug',
    'Thanks {other}, I see it in the raw data as well.|The neighbouring stations look fine, so it is real.|Flagged the values, the forecast no longer uses them.|Same thing as last winter, I am afraid.|The camera shows nothing unusual.|I called the caretaker, who will have a look.|It began {n} days ago at noon, see the plot.|I have put it on the list for the next trip.',
    'Do we have a spare?|The next trip is planned for the 14th.|Remote reset did not help.|Weather permitting.|Can we bridge it with the neighbours?|Let us watch it for two more days.'),
  ('first', 'hardware|field', 'other',
    'Makes sense to me.|I can take this after the inventory.|{other}, do we have a budget for it?|I asked around: everybody wants it, nobody has time.|We tried something like it three years ago, the notes are in the binder.|The supplier says {n} weeks.|Good idea, and cheaper than it looks.|I would start small and see how it goes.',
    'Is there a date by which we need it?|I will make a first sketch.|Put it on the agenda for the planning.|Who else has to agree?|Let us do it together with the other one on the list.|The workshop is free from the 12th.'),
  ('first', 'software', 'other',
    'Makes sense to me.|I would like to take this one.|{other}, who asked for it?|How much of it do we need for the first step?|I wrote down a short proposal, {n} points, comments welcome.|We talked about it in the team: yes, but not before the release.|There is a branch from last year that does half of it.|Smaller than it looks, I think.',
    'Two days, if nothing unexpected turns up.|Let us agree on what is out of scope first.|Is there a date by which we need it?|I will ask two customers what they expect.|The hard part is moving the existing data.|A feature flag would let us try it quietly.'),
  ('middle', 'hardware', 'bug',
    'New measurement: {n} of 20 are affected.|The supplier answered; they want to see samples.|Swapped the part, and the problem moved with it.|The temperature log of that day looks normal.|Cut one open: photos are attached to the lot.|{other}, is it the same revision that you have?|Two more came back this week.|The torque was right, I checked it twice.',
    'Not conclusive yet.|I will repeat it with lot {lot}.|That rules out my first idea.|Could somebody hold the other end on Tuesday?|We should tell sales.|So it is the material after all.'),
  ('middle', 'software', 'bug',
    'My first guess was an off-by-one, and it is not.|With logging switched on it goes away, of course.|Bisecting points to the cache change of last month.|{other}, can you check if staging behaves better?|My quick fix only hid it.|One more report today, from a large customer.|The metrics agree with your theory.|It also explains the odd numbers in the weekly report.',
    'A test that fails is on the branch.|I need another pair of eyes on it.|A workaround is in place until then.|Back to the drawing board.|It is older than all of us.|Rolled out to 5 % to see.'),
  ('middle', 'field', 'bug',
    'Was there today: cable and connector are fine.|Two more stations of the same year show it.|Replaced the sensor, the old one goes to the lab.|The storm cut the trip short.|{other}, can you send the calibration sheet?|The values came back for {n} hours and went away again.|The battery is at 12.4 V, so that is not it.|Compared with the reference for a day; the difference is constant.',
    'Photos are in the folder of the station.|I will go again next week.|Values stay flagged.|Bring a longer ladder.|The lab needs ten days.|It can wait for the yearly visit.'),
  ('middle', 'hardware|field', 'other',
    'The offer arrived and is {n} % above last year.|Drawing is at revision C now.|{other}, can you check the numbers?|Half done, the rest has to wait for the delivery.|The workshop needs two more days.|I talked to the people who will use it, they like it.|We should write down what we learn.|Small delay: the part is on the wrong truck.',
    'I ordered it.|Nothing dramatic.|Next step is on my side.|Will report on Friday.|The date still holds.|Cost stays within what we said.'),
  ('middle', 'software', 'other',
    'First version is on staging.|{other}, does this match what you had in mind?|I split it into {n} smaller pieces.|The numbers look good so far.|Two open questions are left, see the proposal.|Design is done, see the link in the channel.|It touches more files than I hoped.|We could leave the admin part for later.',
    'Try it, and be honest.|I will continue on Wednesday.|Translations are missing.|Docs come with it.|No surprises until now.|I need a decision before I go on.'),
  ('progress', 'hardware|field', 'any',
    'Started. Things are on my bench.|I am on it, first results this week.|Everything is here, I start tomorrow.|It looks good, {n} days of watching to go.',
    'So far so good.|The date holds.|Please do not move the box.'),
  ('progress', 'software', 'any',
    'Working on it, the branch is up.|About half done.|The core works, now the edge cases.|I am on it; expect something to look at on Thursday.',
    'So far so good.|One test is still red.|It will be part of the next build.'),
  ('review', 'hardware|field', 'any',
    'Finished on my side. Could somebody check it independently?|Ready for the sign-off.|The report is in the folder, please read section {n}.',
    'No hurry.|I would like to close it this week.'),
  ('review', 'software', 'any',
    'The change is up for review.|Review comments are addressed, please have another look.|Ready for review. The diff is large, but {n} files are only moved.|Deployed to staging for a last check.',
    'No migration needed.|Please look at the error handling most of all.|I would like to have it in the next build.'),
  ('done', 'field', 'bug',
    'Sensor replaced, values agree with the neighbours again.|Repaired on site, two hours in the rain.|Fixed by the new logger settings, watched for {n} days.|Cleaned and tightened. Sometimes it is that simple.',
    'Closing.|The flagged days stay flagged.|Thanks for the tea, caretaker.'),
  ('done', 'hardware', 'bug',
    'The last {n} samples are fine.|New revision is in production, no more cases for two weeks.|The supplier changed the process and paid for the rework.|Fixed by a tighter check at goods-in.|Reworked lot {lot}, all pass.',
    'Closing.|Reopen it if it comes back.|Thanks everybody.'),
  ('done', 'software', 'bug',
    'Fixed in {build}.|Deployed this morning, the errors are gone.|Fixed, with a test so that it stays that way.|The change is live and the graph is flat.|Verified on production together with the customer.',
    'Closing.|Reopen it if it comes back.|Thanks for the patience.'),
  ('done', 'hardware|field', 'other',
    'Done and signed off.|Finished; the papers are filed.|Delivered and tested.|All {n} items are ticked off.',
    'Closing.|Next time we should start earlier.|The invoice was a pleasant surprise.'),
  ('done', 'software', 'other',
    'Released with {build}.|Live for everybody since today.|Done.|Merged and rolled out, {n} people have used it already.',
    'Closing.|What is left has issues of its own.|Feedback is good so far.'),
  ('cancelled', 'any', 'bug',
    'Duplicate, we continue in the older issue.|Could not be reproduced in {n} attempts.|Works as designed, though the design is debatable.|The part in question goes away next quarter.',
    'Closing for now.|Please reopen with details if it happens again.'),
  ('cancelled', 'any', 'other',
    'We decided against it in the planning.|Too expensive for what it brings.|Nobody has asked for it again in {n} months.|Covered by another issue.',
    'Closing for now.|We can come back to it next year.')
),
talk as (
  select
    issues.id as issue_id, status, reporter_id, issues.created_at,
    coalesce(closed_at, least(current_date, issues.created_at + interval '70 days')) as until,
    case
      when 'hardware' = any (topics) then 'hardware'
      when 'field' = any (topics) then 'field'
      else 'software'
    end as craft,
    case when custom_fields ?| array['lot', 'logger', 'build'] then 'bug' else 'other' end as kind,
    custom_fields ->> 'build' as build,
    colleagues[1 + dice[4] % cardinality(colleagues)] as third_id,
    responder_id, dice,
    least(
      (array[0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 8])[1 + dice[1] % 15],
      coalesce(closed_at::date, current_date) - issues.created_at::date
    ) as length
  from issues
  join projects on projects.id = project_id
  cross join lateral (
    select array_agg(abs(hashtextextended(key || '-' || number, salt) % 100)::int order by salt) as dice
    from generate_series(21, 26) as salt
  ) as thrown
  cross join lateral (
    select array_agg(users.id order by email) as others
    from users where users.created_at < issues.created_at and users.id <> reporter_id
  ) as around
  cross join lateral (
    select coalesce(nullif(assignee_id, reporter_id), others[1 + dice[3] % cardinality(others)]) as responder_id
  ) as answering
  cross join lateral (select array_remove(others, responder_id) as colleagues) as rest
  where key <> 'START'
),
turns as (
  select talk.*, turn,
    case
      when turn < length or status = 'open' then case turn when 1 then 'first' else 'middle' end
      when status = 'in_progress' then 'progress'
      when status = 'in_review' then 'review'
      else status::text
    end as stage,
    case
      when turn = length and status <> 'open' or turn % 3 = 1 then responder_id
      when turn % 3 = 2 then reporter_id
      else third_id
    end as author_id,
    created_at + (until - created_at) * power(turn / (length + 1.0), 1.6) as moment
  from talk
  cross join lateral generate_series(1, length) as turn
),
spoken as (
  select turns.*,
    lag(author_id, 1, reporter_id) over (partition by issue_id order by turn) as previous_id,
    case
      when stage in ('done', 'cancelled') then until - interval '7 minutes'
      -- The day's 24 hours become ten of work, in the same order and between the issue's beginning and end.
      else greatest(
        created_at + turn * interval '13 minutes',
        least(
          date_trunc('day', moment) + interval '8 hours' + (moment - date_trunc('day', moment)) / 2.4,
          until - (length + 1 - turn) * interval '11 minutes'
        )
      )
    end as said_at,
    -- Neighbouring turns take neighbouring sentences, so that nobody repeats the one before.
    opener[1 + (dice[5] + turn) % cardinality(opener)] as first_sentence,
    follower[1 + (dice[6] + 5 * turn) % (2 * cardinality(follower))] as second_sentence
  from turns
  join remarks using (stage)
  cross join lateral (
    select string_to_array(openers, '|') as opener, string_to_array(followers, '|') as follower
  ) as sentences
  where (crafts = 'any' or turns.craft = any (string_to_array(crafts, '|'))) and remarks.kind in (turns.kind, 'any')
)
insert into comments (issue_id, author_id, body, created_at, updated_at)
select
  issue_id, author_id,
  replace(replace(replace(replace(concat_ws(' ', first_sentence, second_sentence),
    '{other}', split_part(previous.name, ' ', 1)),
    '{lot}', 'L' || 2000 + (dice[2] * turn) % 900),
    '{build}', case
      when stage <> 'done' and build is not null then build
      else '4.' || 13 - (current_date - said_at::date) / 31 || '.0'
    end),
    '{n}', (2 + (dice[3] + turn) % 7)::text),
  said_at, said_at
from spoken join users as previous on previous.id = previous_id;
