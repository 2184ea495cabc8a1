-- Globex sells weather forecasts and balances energy grids: its people, projects and issues. `demo.sql` runs next.

insert into users (email, name, created_at)
select split_part(lower(name), ' ', 1) || '@globex.test', name, now() - days * interval '1 day'
from (values
  ('Ines Moreau', 385), ('Kwame Asante', 380), ('Sofia Rinaldi', 378), ('Henrik Solberg', 341), ('Mei Chen', 322),
  ('Oliver Novak', 287), ('Fatima Zahra', 232), ('Rahul Deshpande', 190), ('Clara Wirth', 143), ('Jonas Meyer', 96),
  ('Aroha Ngata', 71)
) as people (name, days);

insert into labels (name, color, description) values
  ('incident', '#b60205', 'It woke somebody up.'),
  ('data quality', '#d876e3', 'Numbers that are missing, late or wrong.'),
  ('performance', '#f9a03f', 'Too slow or too hungry.'),
  ('security', '#5319e7', 'Keys, access and holes.'),
  ('regulator', '#0052cc', 'The regulator or the market asks for it.'),
  ('customer request', '#fbca04', 'A customer asked for it, and more than once.'),
  ('supplier', '#c5a572', 'Needs an answer from outside.'),
  ('field work', '#5a8f29', 'Somebody has to drive there.'),
  ('research', '#bfdadc', 'The answer is not known yet.');

insert into projects (key, name, description, topics, lead_id)
select key, projects.name, description, topics::text[], users.id
from (values
  ('API', 'Public API', 'api.globex.test: weather and energy data for other people''s programs.', '{web,developers}', 'mei'),
  ('CAST', 'Forecast engine', 'From raw observations to a forecast for every square kilometre, four times a day.', '{weather,models}', 'ines'),
  ('DESK', 'Customer portal', 'Where utilities and farmers see their forecasts, alerts and bills.', '{web,billing}', 'sofia'),
  ('GRID', 'Grid balancing', 'Decides every four seconds who charges, who discharges and who waits.', '{energy,real-time}', 'kwame'),
  ('METER', 'Smart meters', 'The meters in the cellars and the gateways that collect their readings.', '{hardware,energy}', 'henrik'),
  ('STN', 'Weather stations', '412 stations on roofs, masts and buoys, and the people who keep them alive.', '{field,weather}', 'aroha')
) as projects (key, name, description, topics, lead)
join users on users.email = lead || '@globex.test';

-- A row is one kind of issue: {} stands for each of the fillings in turn. Other braces are filled by activity.sql.
with catalogue (key, labels, title, fillings, body) as (values
  ('API', 'bug', 'Request with {} answers 500', 'a place at the date line|an empty list of ids|a period of zero length|two units', 'It should be a 400 with a message. The stack trace of {build} is in the log.'),
  ('API', 'bug', 'Rate limit counts {} twice', 'retries|preflight requests|requests through the proxy', 'A customer with a limit of 600 a minute is stopped at 300 because {} count twice.'),
  ('API', 'bug', 'Webhooks are delivered {}', 'out of order|without a signature|twice after a restart|to deleted endpoints', 'Reported by {n} customers this month. The delivery log confirms that they are sent {}.'),
  ('API', 'bug|performance', '{} got slow for long periods', 'History|The statistics endpoint|Lightning archive', 'More than {n} seconds for ten years of one place. The index on time is not used.'),
  ('API', 'bug|data quality', 'Units are missing for {}', 'snow depth|gusts|radiation|visibility', 'Documentation and response disagree about {}; one customer plotted feet as metres.'),
  ('API', 'bug', 'Pagination skips {}', 'stations with the same name|the last page|rows inserted meanwhile', 'Walking through all pages misses {}. Found while comparing with the nightly export.'),
  ('API', 'bug|security', 'Keys appear in {}', 'the access log|error mails|the browser history', 'Only the first characters should. Remove the rest from {} and rotate what has been there.'),
  ('API', 'feature|customer request', 'Subscribe to {}', 'warnings for a region|new radar images|forecast updates', 'Today they poll every ten seconds, {n} customers alone are a fifth of the load.'),
  ('API', 'feature', 'Client library for {}', 'Python|TypeScript|Kotlin|R', 'Generated from the schema, with retries and types. Examples matter more than completeness.'),
  ('API', 'feature', 'Return {} on request', 'GeoJSON|only the chosen fields|values on a grid|local time', 'It would make responses smaller or save the customer a step. Default stays as it is.'),
  ('API', 'feature', 'Sandbox with {}', 'made-up storms|fixed dates|a slow mode', 'Customers test their alarms in production today. A sandbox with {} would spare them and us.'),
  ('API', 'feature|security', 'Keys that {}', 'expire|can read only|are bound to addresses', 'All keys can do everything, forever. Large customers are not allowed to use such keys.'),
  ('API', 'task', 'Retire {}', 'version 1|the XML output|the old lightning endpoint', '{n} customers still use it. Write to them, set a date, then a second date.'),
  ('API', 'task', 'Document {} with examples', 'error codes|webhooks|the forecast parameters|rate limits', 'Every example has to be run by a test, so that it stays true.'),
  ('API', 'task|performance', 'Load test of {}', 'the forecast endpoint|authentication|the tile server', 'Storm days bring {n} times the usual traffic. Find out what gives way first.'),
  ('API', 'task', 'Move {} to the new gateway', 'webhooks|map tiles|authentication', 'Mirror the traffic for a week, compare, then switch over at a quiet hour.'),

  ('CAST', 'bug', 'Rain is forecast too early {}', 'on the west coast|behind cold fronts|in the night run|over the Alps', 'Compared with radar, the onset is {n} hours early {}. Amounts are about right.'),
  ('CAST', 'bug|data quality', '{} are missing from the 06 UTC run', 'Buoy observations|Aircraft reports|Snow depths|Soil temperatures', 'The files arrived, but too late for the cut-off by {n} minutes. The run silently went on without them.'),
  ('CAST', 'bug', 'Temperature bias {}', 'over fresh snow|in narrow valleys|in the first night hour|near large lakes', 'Verification of the last month shows a bias of 2.{n} degrees {}. The neighbours are fine.'),
  ('CAST', 'bug|incident', '{} failed at 03:12', 'Ensemble member 17|The boundary update|The tile export', 'Out of memory on one node; the retry passed. Customers saw the forecast forty minutes late.'),
  ('CAST', 'bug', 'Wrong time zone in the {}', 'marine bulletin|hourly table|archive of 2019', 'The {} is one hour off between the two dates on which Europe and America change their clocks.'),
  ('CAST', 'bug|performance', 'The {} step takes twice as long', 'downscaling|post-processing|radar merge', 'Since {build} the {} step needs 22 minutes. Most of it is waiting for the shared disk.'),
  ('CAST', 'bug', 'Fog never appears {}', 'at airports below 200 m|in the two-day forecast|after clear nights', 'The visibility diagnosis seems to ignore the humidity of the lowest level {}.'),
  ('CAST', 'bug|data quality', 'Radar shows rain {}', 'where wind turbines turn|over the bay on clear days|in a ring around site 9', 'It is an echo and not rain. The filter should remove it, and did so until spring.'),
  ('CAST', 'feature|customer request', 'Forecast {}', 'icing on turbine blades|hail size|solar power per roof|road temperature', '{n} customers would sign tomorrow if we could forecast {}.'),
  ('CAST', 'feature', 'Use {} as a source', 'car windscreen wipers|the new polar satellite|private weather stations|ship radars', 'The data is noisy, but there is a lot of it. A trial with {} over one region would tell us enough.'),
  ('CAST', 'feature|research', 'Try {} for the first two hours', 'optical flow|a small neural network|the ensemble mean', 'Radar extrapolation loses its skill after 40 minutes. The literature says {} does better.'),
  ('CAST', 'feature', 'Publish the {} as open data', 'daily maximum|snow line|wind atlas', 'Universities ask for the {}, it costs us next to nothing, and it is good for our name.'),
  ('CAST', 'task', 'Upgrade {}', 'the message decoder|the compiler on the cluster|the map projection library', 'End of support is in {n} months. Run both versions for a week and compare the output bit by bit.'),
  ('CAST', 'task', 'Verify the forecast of {}', 'the October storm|last week''s heat wave|the missed frost', 'Write two pages with three maps about {}: what we said, what happened, what we learn.'),
  ('CAST', 'task', 'Move the {} to object storage', 'model archive|radar mosaic|verification data', 'The file server is 93 % full, and the {} is read twice a year.'),
  ('CAST', 'task|research', 'Compare {} with last year', 'wind errors|missed thunderstorms|the cost per run', 'For the annual report. Use the same stations and the same months.'),
  ('CAST', 'task', 'Document how to {}', 'rerun a day|add a model level|switch to the backup cluster', 'Only two people know how to {}, and both are on holiday in August.'),

  ('DESK', 'bug', 'Map stays grey {}', 'on slow connections|after the session ends|in Safari|when zoomed out', 'The tiles load, the layer does not. Seen with {build}, always {}.'),
  ('DESK', 'bug', 'Alerts arrive {}', 'twice|an hour late|for deleted places|without the place name', 'Support has {n} tickets about alerts that arrive {}. The queue itself looks healthy.'),
  ('DESK', 'bug|data quality', 'Invoice counts {} wrong', 'API calls|leap days|test users|paused subscriptions', 'The invoice and the usage page disagree about {}. The usage page is right.'),
  ('DESK', 'bug', 'Cannot {} on a phone', 'draw a region|read the wide tables|close the consent dialog|switch the unit', 'The button is outside of the screen. In landscape it works.'),
  ('DESK', 'bug|security', '{} is still valid after the user was removed', 'An API key|A shared link|The calendar feed', 'Removing somebody from an organisation must end everything at once. This survived for a day.'),
  ('DESK', 'bug|performance', '{} loads too slowly', 'The usage page|The list of places|The wind chart', 'Large customers wait {n} seconds. It loads everything and then shows the first twenty rows.'),
  ('DESK', 'bug', 'CSV download {}', 'stops after 65,536 rows|uses the wrong decimal sign|has no header|ignores the chosen period', 'The file that the customer opened {}. The same period through the API is complete.'),
  ('DESK', 'bug|incident', 'Login was down {}', 'for nine minutes on Sunday|during the certificate change|for customers in New Zealand', 'See the timeline in the incident channel. What is left is the part that we did not understand.'),
  ('DESK', 'feature|customer request', 'Sign in with {}', 'Microsoft|a passkey|the customer''s own SAML', 'Asked for in {n} of the last ten tenders.'),
  ('DESK', 'feature', 'Alert when {}', 'wind gusts pass a limit|frost is likely before dawn|a station goes silent|the forecast changes a lot', 'Farmers check the page every hour for this. Let them choose the limit and the channel.'),
  ('DESK', 'feature', 'Share {} with a colleague', 'a map view|an alert|a saved comparison', 'People send screenshots. A link with the right permissions would be enough.'),
  ('DESK', 'feature', 'Show {} in the chart', 'the ensemble spread|last year''s values|the confidence|sunrise and sunset', 'User tests: people trust the forecast more when they see {}.'),
  ('DESK', 'feature', 'Translate the portal into {}', 'Portuguese|Norwegian|Māori', 'The texts are in one file already. The dates and units need more care than the words.'),
  ('DESK', 'task|security', 'Rotate the {}', 'signing keys|mail provider''s password|map tile tokens', 'Last done {n} quarters ago. Do it in daylight and with two people.'),
  ('DESK', 'task', 'Remove {}', 'the old chart library|the beta banner|password rules from 2014|the fax number', 'It is still there, it confuses people, and nobody would defend it.'),
  ('DESK', 'task', 'Run the accessibility audit on {}', 'the map|the alert editor|the invoices', 'Contrast, keyboard, screen reader. File an issue for every finding.'),
  ('DESK', 'task|regulator', 'Publish the {}', 'service levels|list of subprocessors|withdrawal policy', 'The new rules for energy data ask for the {} in a place that one can find.'),

  ('GRID', 'bug|incident', 'Frequency response was slow {}', 'at 18:00 on Tuesday|after the interconnector trip|during the failover', 'We answered after {n} seconds where the contract allows one.'),
  ('GRID', 'bug', 'Battery {} is asked to discharge when empty', 'Harbour 2|Northfield|Mill Lane|Quarry Road', 'The state of charge of {} arrives as a percentage of the usable capacity, and we read it as total.'),
  ('GRID', 'bug|data quality', 'Price feed has gaps {}', 'at the hour change|on bank holidays|when the market is negative', 'The optimiser falls back to yesterday''s price {}. That cost us a four-digit sum in {n} days.'),
  ('GRID', 'bug', 'Optimiser does not converge {}', 'with more than 300 assets|when two batteries are identical|in island mode', 'It stops after 500 iterations and returns the last good plan. Logs of {build} are attached.'),
  ('GRID', 'bug', 'Dispatch ignores {}', 'the ramp limit|planned outages|the noise curfew|the minimum run time', 'The plan looks perfect and cannot be carried out, because {} is not among the constraints.'),
  ('GRID', 'bug|performance', 'Forecast import blocks {}', 'the dispatch loop|the dashboard|the market gateway', 'Each import holds the lock for up to {n} seconds, and {} waits.'),
  ('GRID', 'bug', 'Dashboard shows {} upside down', 'exports|reactive power|ramp rates', 'Sign convention again. Producers count one way, we count the other.'),
  ('GRID', 'bug|security', '{} accepts unsigned messages', 'The test endpoint|The legacy gateway|The dispatch simulator', 'It is not reachable from outside, but that is no reason. Found in the review of {build}.'),
  ('GRID', 'feature', 'Bid into the {} market', 'intraday|secondary reserve|capacity|neighbouring', 'The batteries are idle for {n} hours a day. The {} market would pay for exactly those.'),
  ('GRID', 'feature', 'Take {} into account', 'battery ageing|cloud shadows|the local grid limit|district heating', 'The optimum without {} is not the optimum. A simple linear cost would be a good start.'),
  ('GRID', 'feature|customer request', 'Let operators {}', 'pin an asset|simulate an outage|explain a decision|undo a manual order', 'Control room staff ask for this in every training. They do it in a spreadsheet today.'),
  ('GRID', 'feature', 'Connect {}', 'the heat pump pool|electric buses|the hydrogen plant|the second wind farm', 'The contract is signed. {n} signals per asset, mostly by the standard protocol.'),
  ('GRID', 'task|regulator', 'Report {} to the regulator', 'curtailed energy|response times|outages of the last year', 'Due every quarter; the form has changed again. Ask last year''s author before you start.'),
  ('GRID', 'task', 'Failover exercise: {}', 'lose the main site|lose the price feed|lose the clock', 'In a quiet hour, announced to the grid operator. Write down what surprised you.'),
  ('GRID', 'task', 'Raise the test coverage of the {}', 'dispatch loop|settlement|market gateway', 'Start with the cases that went wrong in real life, {n} of which have no test for the {}.'),
  ('GRID', 'task|performance', 'Profile the {}', 'optimiser with 1,000 assets|settlement run|start-up', 'Before we buy larger machines, let us see where the time goes.'),
  ('GRID', 'task|security', 'Renew certificates of {}', 'the market gateway|the Harbour site|the control room', 'They run out in {n} weeks. The new ones need the longer key.'),

  ('METER', 'bug', 'Meter reads zero {}', 'after a power cut|at full load|on the first of the month', 'The counter itself goes on, only the transmitted value is zero {}. {n} households so far.'),
  ('METER', 'bug|data quality', 'Readings are doubled {}', 'when two gateways hear one meter|at midnight|after the firmware update', 'We bill by differences, so nobody paid too much, but the charts look terrible.'),
  ('METER', 'bug', 'Gateway loses its {}', 'clock|SIM registration|list of meters|time server', 'After a few weeks the gateway forgets its {} and needs somebody in the cellar.'),
  ('METER', 'bug|field work', 'Display stays dark {}', 'below five degrees|on replaced units|after a long press', 'The backlight driver starts, the display does not. Readings are still transmitted.'),
  ('METER', 'bug', 'Relay clicks {}', 'every ten minutes|at night|during the self-test', 'Harmless, but people lie awake. A hysteresis would do.'),
  ('METER', 'bug', 'Battery of the {} lasts one year only', 'water meter|heat meter|repeater', 'It was specified for eight. The radio wakes up far too often, see the current trace.'),
  ('METER', 'bug|supplier', 'Housing of the {} breaks', 'gateway|antenna|three-phase meter', '{n} of 50 broke at the same clip while being mounted. The supplier changed the plastic.'),
  ('METER', 'feature', 'Measure {}', 'power quality|feed-in separately|the temperature of the terminals', 'The chip can do it already; we only never read the register.'),
  ('METER', 'feature|customer request', 'Let tenants see {}', 'the last hour|the cost of the day|their neighbours'' average', 'A housing company with {n} thousand flats asks for it and would pay for the pilot.'),
  ('METER', 'feature', 'Update {} over the air', 'repeaters|old gateways|the radio module', 'Each visit costs 80 euros. The image must fit into half of the flash.'),
  ('METER', 'feature|security', 'Encrypt {}', 'the service port|the backup|readings on the repeater', 'The standard leaves it open, the customers do not.'),
  ('METER', 'task|regulator', 'Type approval of the {}', 'three-phase meter|heat meter|new gateway', 'Two devices, the full set of papers, {n} weeks in the lab. Send them together with the others.'),
  ('METER', 'task|field work', 'Replace gateways in {}', 'Mill Lane 4 to 20|the old brewery|the hospital|Harbour Street', 'All of them are of the first generation. Announce it to the tenants one week before.'),
  ('METER', 'task', 'Order {}', 'antennas for cellars|seals|SIM cards for next year', 'Stock lasts for about {n} weeks at the current pace.'),
  ('METER', 'task', 'Test the {} in the climate chamber', 'new gateway|heat meter|battery pack', 'From minus 25 to plus 60 degrees, three cycles, transmitting all the time.'),
  ('METER', 'task', 'Write the mounting guide for the {}', 'new gateway|repeater|flat antenna', 'One page with pictures. Electricians do not read the second page.'),

  ('STN', 'bug|data quality', 'Humidity stuck at 100 % at {}', 'Gull Island|Kestrel Ridge|Old Harbour|Pine Hollow', 'It has not moved since the storm. The neighbours of {} show normal values.'),
  ('STN', 'bug|field work', 'Anemometer frozen at {}', 'Kestrel Ridge|Summit East|Lake Hut', 'Zero wind for {n} days at {} while the trees on the camera bend.'),
  ('STN', 'bug', 'Rain gauge counts {}', 'birds|wind gusts|dew|nothing at all', 'The tipping bucket counts {}; the radar is sure about it.'),
  ('STN', 'bug', 'Station sends nothing {}', 'between 02:00 and 04:00|when the battery is below 11.8 V|after the modem update', 'It measures and stores, but sends nothing {}. After a reset everything arrives at once.'),
  ('STN', 'bug|supplier', 'Solar charger fails {}', 'in salty air|at high altitude|after lightning nearby', 'The third one this year that fails {}. The supplier replaces them, but does not say why.'),
  ('STN', 'bug', 'Webcam of {} looks at the sky', 'Old Harbour|Summit East|Mill Pond', 'A screw has come loose in the wind. Lovely clouds, no use.'),
  ('STN', 'bug|data quality', 'Pressure jumps by 3 hPa at {}', 'Buoy 7|Pine Hollow|the airport mast', 'Always at full hours. It smells like a rounding error in the logger of {}.'),
  ('STN', 'bug|field work', 'Mast leans at {}', 'Lake Hut|the research farm|Pine Hollow', 'About {n} degrees to the east since the thaw. Wind directions of {} are not to be trusted.'),
  ('STN', 'feature', 'Add a {} to mountain stations', 'snow depth sensor|second temperature sensor|heated camera', 'The mast has room and the logger has a free port. Power in December is the question.'),
  ('STN', 'feature', 'Warn when {}', 'a battery gets weak|a sensor disagrees with its neighbours|a door is open|a station drifts', 'We notice after {n} days on average. The data to notice within an hour is there.'),
  ('STN', 'feature|research', 'Test the {}', 'ultrasonic anemometer|low-power modem|radiation shield made of wood', 'Half a year next to the reference instrument, then we decide.'),
  ('STN', 'feature|customer request', 'New station near {}', 'the vineyard|the wind farm|the ski lift', 'The customer pays for the site and for half of the hardware.'),
  ('STN', 'task|field work', 'Yearly visit: {}', 'Gull Island|Kestrel Ridge|Buoy 7|Lake Hut|Summit East', 'Clean, calibrate, photograph in four directions, change the battery. Plan a day with good weather.'),
  ('STN', 'task', 'Calibrate the {}', 'pressure references|humidity chamber|travel thermometer|rain gauge tester', 'Back to the lab, as every year. The certificate of the {} ends in {n} weeks.'),
  ('STN', 'task', 'Renew the lease of {}', 'the church tower|Pine Hollow|the lighthouse', 'The owner is friendly but wants a letter. Last rent: a bottle of good whisky.'),
  ('STN', 'task', 'Clean up the {} history', 'site photo|sensor replacement|coordinates', 'Half is in the database, half in notebooks. For trends over {n} decades we need all of it.'),
  ('STN', 'task', 'Order spare {}', 'rain gauges|lightning protectors|mast clamps|batteries', 'The shelf was empty after the last storm. Delivery takes {n} weeks.')
),
drafts as (
  select
    projects.id as project_id,
    string_to_array(labels, '|') as labels,
    overlay(replace(title, '{}', filling) placing upper(left(replace(title, '{}', filling), 1)) from 1 for 1) as title,
    replace(catalogue.body, '{}', filling) as body
  from catalogue
  join projects using (key)
  cross join unnest(string_to_array(fillings, '|')) as filling
),
filed as (
  insert into issues (project_id, reporter_id, title, body)
  select project_id, (select id from users where role = 'owner' limit 1), title, body
  from drafts order by hashtextextended(title, 1)
  returning id, project_id, title
)
insert into issue_labels (issue_id, label_id)
select filed.id, labels.id
from filed join drafts using (project_id, title) join labels on labels.name = any (drafts.labels);
