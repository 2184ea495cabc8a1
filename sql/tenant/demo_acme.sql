-- Acme makes anvils, rockets and a web shop to sell them: its people, projects and issues. `demo.sql` runs next.

insert into users (email, name, created_at)
select split_part(lower(name), ' ', 1) || '@acme.test', name, now() - days * interval '1 day'
from (values
  ('Marcus Oyelaran', 391), ('Elena Petrova', 379), ('Diego Hernández', 352), ('Yuki Tanaka', 340), ('Hannah Lindqvist', 298),
  ('Devon Clarke', 251), ('Priya Raman', 204), ('Samuel Achterberg', 160), ('Noor Haddad', 117), ('Wile Calloway', 388)
) as people (name, days);

insert into labels (name, color, description) values
  ('safety', '#b60205', 'Somebody could get hurt.'),
  ('regression', '#e99695', 'It worked before.'),
  ('supplier', '#c5a572', 'Needs an answer from outside.'),
  ('compliance', '#5319e7', 'A standard or an authority asks for it.'),
  ('customer request', '#fbca04', 'A customer asked for it, and more than once.'),
  ('performance', '#f9a03f', 'Too slow or too hungry.'),
  ('documentation', '#0075ca', 'Words, drawings and manuals.'),
  ('accessibility', '#006b75', 'Keeps somebody from using it.');

insert into projects (key, name, description, topics, lead_id)
select key, projects.name, description, topics::text[], users.id
from (values
  ('ANV', 'Anvils', 'The cast and forged line, from 25 to 500 kg, and the stands below it.', '{hardware,foundry}', 'marcus'),
  ('BOOST', 'Booster rockets', 'Solid-fuel boosters for sleds, skates and the test range.', '{hardware,propulsion}', 'wile'),
  ('FLY', 'Flight controller', 'Firmware and ground station of every rocket that we sell.', '{firmware,telemetry}', 'yuki'),
  ('MAG', 'Magnets and springs', 'Whatever pulls, pushes or jumps: magnets, spring boots and the catapult.', '{hardware}', 'hannah'),
  ('SHOP', 'Web shop', 'shop.acme.test, where anvils meet customers.', '{web,payments}', 'elena'),
  ('WARE', 'Warehouse', 'Stock, picking, carriers and everything between the order and the doorstep.', '{web,logistics}', 'priya')
) as projects (key, name, description, topics, lead)
join users on users.email = lead || '@acme.test';

-- A row is one kind of issue: {} stands for each of the fillings in turn. Other braces are filled by activity.sql.
with catalogue (key, labels, title, fillings, body) as (values
  ('ANV', 'bug|safety', 'Hairline crack in the {} after the drop test', 'horn|heel|face|waist', 'The dye test shows a crack of about {n} mm in the {}. Nothing from lot {lot} leaves the yard until we know why.'),
  ('ANV', 'bug', 'Hardness of the {} is below specification', 'face|cutting table|horn', 'Readings on the {} are between 44 and 47 HRC; the drawing asks for 52.'),
  ('ANV', 'bug', 'Casting voids in the {} model', '25 kg|50 kg|100 kg|500 kg', 'X-ray of the {} model shows voids near the waist, up to 4 mm wide. Pouring temperature was normal.'),
  ('ANV', 'bug', 'Paint flakes off {}', 'the base after one winter outdoors|around the hardy hole|where the straps touch|the lifting eyes', 'Customers send photos: the paint comes off {}, down to the primer.'),
  ('ANV', 'bug', 'Hardy hole is {}', 'off centre by 2 mm|too tight for standard tools|not square at the bottom', 'Measured on {n} anvils from lot {lot}: the hole is {}. The gauge on the line passes them anyway.'),
  ('ANV', 'bug|regression', 'Ring test sounds dull since {}', 'the new quench oil|we moved to furnace 2|the sand was changed', 'Good anvils used to ring for eight seconds. Since {} we hear five at best.'),
  ('ANV', 'bug|safety', 'Stand wobbles on {}', 'gravel|wooden floors|a slope of three degrees', 'With the 50 kg model on top, the stand rocks on {} as soon as somebody strikes off centre.'),
  ('ANV', 'bug|supplier', '{} arrived with rust', 'Lifting eyes|Steel billets|Stand bolts', 'The last delivery was stored wet somewhere. {n} boxes are affected; see the photos from goods-in.'),
  ('ANV', 'feature|customer request', 'Offer the anvil with {}', 'a carrying handle|a rubber base|an engraved name plate|a parachute bracket', 'Sales hears it every month: customers want the anvil with {}, and would pay for it.'),
  ('ANV', 'feature', '{} edition of the 50 kg anvil', 'Left-handed|Desert|Travel', 'Same casting, different finish and stand. We need a drawing, a price and {n} prototypes for the spring fair.'),
  ('ANV', 'feature', 'Lighter packaging for {}', 'the 25 kg anvil|export crates|spare stands', 'The crate weighs almost as much as what is in it. A honeycomb insert would save 6 kg for {}.'),
  ('ANV', 'feature', 'Record {} per serial number', 'the heat treatment|the furnace charge|the final weight', 'When an anvil comes back we cannot look up {}. The stamp has the serial number, so we can store it by that.'),
  ('ANV', 'task|supplier', 'Find a second source for {}', 'tool steel|foundry sand|lifting eyes|ash wood', 'Only one supplier can deliver {}, and the lead time has grown to {n} weeks.'),
  ('ANV', 'task', 'Recalibrate the {}', 'drop tower|hardness tester|floor scale|furnace thermocouples', 'The certificate of the {} runs out this quarter. Book the lab before the autumn rush.'),
  ('ANV', 'task|documentation', 'Rewrite the {} leaflet', 'safety|lifting|assembly|returns', 'The {} leaflet still shows the old stand, and the drawings are too small to read.'),
  ('ANV', 'task|compliance', 'Renew the {} certificate', 'CE|overhead crane|export|noise protection', 'The auditor needs last year''s records for the {} certificate two weeks before the visit.'),
  ('ANV', 'task', 'Get quotes for {}', 'a second drop tower|a deburring robot|a larger quench tank', 'We need three quotes for {} before the budget round.'),

  ('BOOST', 'bug|safety', 'Igniter fires late {}', 'below freezing|after a week in storage|with the long harness', 'On the stand the igniter took {n} tenths of a second longer than allowed {}.'),
  ('BOOST', 'bug|safety', 'Nozzle erosion beyond the limit on the {}', 'B-2 booster|sled motor|skate motor', 'After a full burn the throat of the {} is 1.8 mm wider; the limit is 1.0 mm.'),
  ('BOOST', 'bug', 'Thrust curve of {} has a dip', 'motor 0412|motor 0433|the training motor|the cold-soaked motor', 'The load cell shows a dip of 8 % two seconds into the burn of {}. The chamber pressure agrees.'),
  ('BOOST', 'bug|supplier', '{} out of tolerance', 'O-rings|Casing threads|Nozzle inserts|Retaining rings', 'Goods-in measured {n} pieces from lot {lot}; more than half are out. The supplier''s own report says all is well.'),
  ('BOOST', 'bug', 'Propellant grain cracks {}', 'near the bond line|after thermal cycling|when it is cast on Mondays', 'Found on X-ray in {n} of 20 grains. All of them crack {}; the mixing log shows nothing unusual.'),
  ('BOOST', 'bug|safety', 'Launch clamp does not release at {}', 'full thrust|low battery|minus ten degrees', 'The clamp stayed shut at {} and the abort did its job. No damage, but the range was closed for the day.'),
  ('BOOST', 'bug', 'Fin adhesive softens {}', 'in direct sun|next to the exhaust|after the humidity test', 'The bond line fails at half the load {}. The data sheet promises more.'),
  ('BOOST', 'bug|regression', 'Skate straps tear at {}', 'the buckle|the second seam|the ankle', 'The new webbing tears at {} with 900 N. The old one held 1,400 N.'),
  ('BOOST', 'feature|customer request', 'Smaller booster for {}', 'roller skates|beginners|indoor use', 'Support had {n} requests this month for something gentler, mostly for {}.'),
  ('BOOST', 'feature', 'Reusable {}', 'casing|nozzle|recovery parachute|launch rail', 'If the {} survives five flights, the price per launch drops by a third.'),
  ('BOOST', 'feature|safety', 'Add {} to the launch box', 'a key switch|a loud countdown|a two-person arm button|a tilt sensor', 'After last month''s near miss, the range officer asks for {} before the next campaign.'),
  ('BOOST', 'feature', 'Quieter burn for the {}', 'sled motor|B-2 booster', 'Neighbours of the test range complain about the {}. A longer, softer curve would help us both.'),
  ('BOOST', 'task', 'Static fire: {}', 'B-2 booster, hot|B-2 booster, cold|sled motor with the new grain|skate motor, endurance', 'One full burn with all sensors. Book the stand, the fire brigade and the high-speed camera.'),
  ('BOOST', 'task', 'Replace the {} on the test stand', 'load cell|flame deflector|pressure transducers|cable tray', 'The {} has seen {n} burns more than it was made for.'),
  ('BOOST', 'task|compliance', 'Prepare the {} report', 'explosives storage|range safety|transport classification', 'The authority wants the {} report by the end of the quarter. Last year''s is a good start.'),
  ('BOOST', 'task|documentation', 'Checklist for {}', 'cold weather launches|motor transport|misfires|visitors on the range', 'Everybody does it slightly differently. Write down one way for {}, one page at most.'),
  ('BOOST', 'task|supplier', 'Negotiate next year''s price of {}', 'ammonium perchlorate|graphite|casing tubes', 'The contract for {} ends in autumn. We buy {n} times as much as when it was signed.'),

  ('FLY', 'bug|safety', 'Watchdog resets the controller during {}', 'ignition|stage separation|radio handover', 'The log has a gap of 80 ms during {}, then a cold boot. Seen with {build} on two boards.'),
  ('FLY', 'bug', 'Altitude jumps by 40 m {}', 'when the GPS has few satellites|in fog|near the radar station', 'The filter trusts the barometer too much {}. Replay of flight 31 shows it well.'),
  ('FLY', 'bug', 'Ground station loses {} after a reconnect', 'the flight plan|the battery reading|its map tiles|the event log', 'Unplug the antenna, plug it in again: {} never comes back until somebody restarts the program.'),
  ('FLY', 'bug|regression', 'Telemetry drops {}', 'every fifth packet|the first second|frames longer than 128 bytes', 'With the previous build nothing was lost; {build} drops {}, on cable as well as on air.'),
  ('FLY', 'bug', 'Parachute timer ignores {}', 'the wind setting|a manual override|the second apogee', 'In simulation the timer ignores {} and fires at its default.'),
  ('FLY', 'bug', 'Wrong units in the {}', 'flight report|CSV export|launch card', 'Speeds in the {} are labelled km/h but are m/s.'),
  ('FLY', 'bug|performance', '{} takes half a minute', 'Log download|Sensor calibration|The self-test', 'It used to take five seconds. Most of the time goes into reading flash one byte at a time.'),
  ('FLY', 'feature', 'Show {} on the launch screen', 'wind at altitude|motor temperature|the countdown hold|battery health', 'The range officer looks at a second laptop for {}. It is in the telemetry already.'),
  ('FLY', 'feature|safety', 'Abort automatically on {}', 'a tilt of more than 15 degrees|lost telemetry|low chamber pressure|a person in the exclusion zone', 'Today somebody has to see it and press the button. The controller could abort on {} within 10 ms.'),
  ('FLY', 'feature', 'Export flights as {}', 'KML|CSV with SI units|a video overlay', 'Customers want to share their flights; {} was named most often in the survey.'),
  ('FLY', 'feature|customer request', 'Support the {} radio', '868 MHz|915 MHz|long-range', 'Dealers in some countries may only sell the {} variant.'),
  ('FLY', 'feature', 'Replay a flight {}', 'at half speed|next to a second one|on the desk simulator', 'When we look for a cause, it would save hours to replay a flight {}.'),
  ('FLY', 'task', 'Upgrade the {}', 'compiler|real-time kernel|radio stack|USB driver', 'We are {n} versions behind, and the fixes that we carry ourselves are in the new {}.'),
  ('FLY', 'task', 'Raise test coverage of the {}', 'state machine|altitude filter|parachute logic|command parser', 'The {} is what we are most afraid to touch, and the least tested.'),
  ('FLY', 'task|documentation', 'Describe the {} protocol', 'telemetry|calibration|bootloader', 'A dealer wants to build a tool and asked for a description of the {} protocol.'),
  ('FLY', 'task', 'Remove the old {}', 'logging format|serial menu|settings page|I2C driver', 'Nothing has used the old {} since the second hardware revision.'),
  ('FLY', 'task|compliance', 'Radio approval for {}', 'Canada|Japan|the United Kingdom', 'The test lab for {} needs two sealed boards, a firmware that transmits without pause, and {n} weeks.'),

  ('MAG', 'bug|safety', 'Spring boots overshoot {}', 'on concrete|with light customers|at the third jump', 'The damper closes too late {}. One tester landed {n} m behind the mat, unhurt and impressed.'),
  ('MAG', 'bug|safety', 'Magnet does not release below {}', '10 % charge|freezing|half load', 'The release coil has too little current below {}. The manual lever works, but nobody knows where it is.'),
  ('MAG', 'bug', 'Field strength of the {} drops', 'giant horseshoe|hand magnet|lifting magnet', 'After {n} hours of use the {} has lost a tenth of its strength. It comes back when it cools down.'),
  ('MAG', 'bug', 'Coating of {} peels', 'compression springs|boot soles|magnet faces', 'Salt spray test stopped after 48 hours: the coating of {} came off in flakes. The requirement is 240 hours.'),
  ('MAG', 'bug', 'Coil winder stops {}', 'at 400 turns|when the wire is changed|after lunch', 'It stops {} without an error. Switching it off and on again helps for an hour or so.'),
  ('MAG', 'bug|supplier', '{} differ from the sample', 'Neodymium blocks|Rubber dampers|Buckles', 'What the supplier sends now is not what we approved: {n} of 20 from lot {lot} are too soft.'),
  ('MAG', 'bug|regression', 'Catapult arm creaks since {}', 'the new bearings|the lighter frame|we changed the grease', 'No effect on the range so far, but it did not creak before {} and customers hear it.'),
  ('MAG', 'bug', 'Instructions are printed {}', 'upside down|in the wrong language|without page 4', 'Found in {n} boxes on the shelf. The printer sends new ones free of charge.'),
  ('MAG', 'feature|customer request', 'Spring boots in size {}', '36|48|junior', 'Support counts {n} requests a month. The last has to be made anew, the spring can stay.'),
  ('MAG', 'feature', 'Remote control for the {}', 'lifting magnet|catapult|giant horseshoe', 'Standing next to the {} is the part of the job that nobody likes.'),
  ('MAG', 'feature|safety', 'Add a {} to the catapult', 'dead man''s switch|warning light|counterweight lock', 'The risk review rated it as the cheapest measure that helps. Retrofit kits should be possible.'),
  ('MAG', 'feature', 'Sell {} as spare parts', 'dampers|release coils|boot soles|bearings', 'Customers throw away the whole thing because we do not sell {}.'),
  ('MAG', 'task', 'Endurance test of the {}', 'spring boots, 100,000 jumps|catapult, 5,000 shots|lifting magnet, one week', 'Use units from normal production, not prototypes. Report wear every {n} days.'),
  ('MAG', 'task', 'Overhaul the {}', 'spring press|coil winder|magnetiser', 'Last done {n} years ago. Two days without production, best around the public holiday.'),
  ('MAG', 'task|compliance', 'Test report for {}', 'electromagnetic compatibility|lifting equipment|toy safety', 'The old report names a standard that has been withdrawn. The lab knows us and has time in {n} weeks.'),
  ('MAG', 'task|documentation', 'Film a short video about {}', 'putting on spring boots|releasing the magnet|aiming the catapult', 'One minute, no speech, subtitles. It would answer half of the calls.'),
  ('MAG', 'task|supplier', 'Visit the supplier of {}', 'spring wire|neodymium|dampers', 'Quality has gone up and down for {n} months. See it with our own eyes.'),

  ('SHOP', 'bug', 'Checkout shows the wrong {}', 'delivery date|tax for Switzerland|shipping price for 500 kg|currency after login', 'The confirmation mail is right, only the last step of the checkout shows the wrong {}.'),
  ('SHOP', 'bug', 'Cart is emptied {}', 'after logging in|when a coupon is refused|by the back button', 'Three customers called this week because their cart was emptied {}.'),
  ('SHOP', 'bug|accessibility', '{} cannot be reached by keyboard', 'The size picker|The cookie banner|The image gallery|Checkout step 3', 'Tab skips it. A screen reader does not mention it either.'),
  ('SHOP', 'bug', 'Search finds nothing for {}', '"anvils" in the plural|words with a hyphen|part numbers|umlauts', 'The products exist and are in stock. The search index does not seem to normalise {}.'),
  ('SHOP', 'bug|performance', '{} takes four seconds to load', 'The product page|The order history|The rocket configurator', 'The trace shows {n}00 queries for one page. It got worse with the catalogue import.'),
  ('SHOP', 'bug|regression', 'Gift cards are refused {}', 'for part of the total|in euros|on mobile', 'Since {build} the payment step answers "card unknown" {}.'),
  ('SHOP', 'bug', 'Order mail has {}', 'a broken logo|the price without tax|no tracking link|the wrong first name', 'Seen in {n} orders since Monday. The text-only version of the mail is fine.'),
  ('SHOP', 'bug', 'Product photos are blurred on {}', 'tablets|high-density screens|the comparison page', 'We deliver the thumbnail where {} would need the large image.'),
  ('SHOP', 'feature|customer request', 'Pay by {}', 'invoice|bank transfer|instalments', 'Business customers leave at the payment step. In the exit survey, {} is the first wish.'),
  ('SHOP', 'feature', 'Let customers {}', 'compare two anvils|save a cart for later|reorder with one click|choose a delivery slot', 'Support does this by hand every day. If customers could do it themselves, everybody would be happier.'),
  ('SHOP', 'feature', 'Show {} on the product page', 'stock per warehouse|the safety leaflet|customer photos|the weight with packaging', 'The most frequent question before buying is about this, and we already have the data.'),
  ('SHOP', 'feature', 'Filter the catalogue by {}', 'weight|thrust|delivery time|certificate', 'With more than 900 products the list is too long without a filter by {}.'),
  ('SHOP', 'feature|accessibility', 'Dark mode for {}', 'the shop|order mails', 'Requested again and again, also by people whose eyes hurt from white pages at night.'),
  ('SHOP', 'task', 'Move {} to the new design', 'the account pages|the checkout|the help centre|the landing pages', 'The components are ready. What is left for {} are the forms and the empty states.'),
  ('SHOP', 'task', 'Delete {} that nobody uses', 'coupon codes|product categories|feature flags|mail templates', 'There are hundreds, and each makes the admin pages slower. Keep what was used within a year.'),
  ('SHOP', 'task|compliance', 'Update the {}', 'privacy notice|withdrawal form|terms for dealers', 'The lawyers sent a new text for the {}. It has to be online before the first of the month.'),
  ('SHOP', 'task', 'Load test before {}', 'Black Friday|the spring sale|the roadrunner season', 'Last time the payment queue filled up. Repeat the test with twice the traffic.'),

  ('WARE', 'bug', 'Stock count of {} is negative', 'stand bolts|25 kg anvils|igniters|gift boxes', 'The shelf holds plenty of {}, the system says minus {n}. Probably a return that was booked twice.'),
  ('WARE', 'bug', 'Scanner app freezes {}', 'on the loading dock|after 200 scans|when the Wi-Fi changes floors', 'It freezes {} and loses the last scan. A restart takes two minutes.'),
  ('WARE', 'bug', 'Labels for {} print the wrong barcode', 'pallets|dangerous goods|returns', 'The carrier sends parcels back because the barcode on labels for {} has one digit too few.'),
  ('WARE', 'bug|safety', 'Picking route leads through {}', 'the propellant store|the crane area|a locked door', 'Since the shelves were moved, the shortest route goes through {}.'),
  ('WARE', 'bug', 'Orders with {} get stuck', 'two addresses|a gift card only|dangerous goods and anvils', 'They stay in "ready to pick" forever. We push about {n} a day by hand.'),
  ('WARE', 'bug|performance', 'The {} report times out', 'monthly stock|carrier cost|returns', 'It reads every movement since the beginning. One year would do for the {} report.'),
  ('WARE', 'bug|regression', 'Carrier prices are off for {}', 'islands|weights above 300 kg|express deliveries', 'The price table was imported with a comma as the decimal point, so {} became absurdly cheap.'),
  ('WARE', 'feature', 'Pick {} in one tour', 'several orders|returns and orders|spare parts', 'Half of the walking is empty. If people could pick {} in one tour, we would save an hour per shift.'),
  ('WARE', 'feature', 'Tell the customer when {}', 'the truck is an hour away|an item is delayed|a pallet needs a forklift|the return has arrived', 'Most calls on Mondays are about this. A text message is enough.'),
  ('WARE', 'feature', 'Connect {} as a carrier', 'the regional freight line|the bicycle courier|the airline for rockets', 'Sales promised it for the summer. Their interface is documented well enough.'),
  ('WARE', 'feature|safety', 'Block shipments of {}', 'igniters together with boosters|recalled lots|rockets to cities', 'The rule is on a poster today. The system should refuse {} before anything is packed.'),
  ('WARE', 'feature', 'Suggest a reorder for {}', 'packaging|igniters|seasonal items', 'We run out of {} about once a month, always on a Friday.'),
  ('WARE', 'task', 'Count {} before the audit', 'aisle A|aisle B|the cage|the outdoor yard', 'Two people, half a day. Write down the differences, do not correct them.'),
  ('WARE', 'task', 'Replace the {}', 'label printers|dock door sensors|hand scanners|forklift batteries', 'The {} fail more and more often, and spare parts are no longer made.'),
  ('WARE', 'task|documentation', 'Train the night shift on {}', 'dangerous goods|the new scanners|pallet wrapping', 'One hour, with a short test. {n} people have not had the training on {} yet.'),
  ('WARE', 'task|compliance', 'Archive {} of the last ten years', 'delivery notes|dangerous goods papers|customs forms', 'They are in boxes in the cellar, and the fire inspector does not like boxes in the cellar.'),
  ('WARE', 'task', 'Review access to {}', 'the propellant store|the stock database|the carrier accounts', 'People have changed teams. Take the list for {} and remove whoever no longer needs it.')
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
