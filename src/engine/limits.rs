//! How much of a rule people are told at once: quiet hours, in which its alerts are held, and how many go out in a stretch of time.
//!
//! When it comes to telling, the clock counts, not the time of events: who sleeps now sleeps now.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::sigma::Shape;
use crate::yaml::{Code, Diagnostic, Node};

/// What holds a rule's alerts back until a summary tells of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// When nobody is told.
    pub quiet: Option<Quiet>,
    /// How many alerts go out in a stretch of time.
    pub max_alerts: Option<MaxAlerts>,
}

/// So many alerts in a stretch of time, which begins with the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxAlerts {
    /// How many.
    pub count: usize,
    /// How long the stretch is.
    pub per: SignedDuration,
}

/// Times of the week in which nobody is told. They leave some of it free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet(Vec<QuietTime>);

/// One of them: it begins at the same time of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
struct QuietTime {
    /// Those that it begins on, Monday first.
    days: [bool; 7],
    /// Seconds from the beginning of the day to its own.
    from: i64,
    /// Seconds to its end, which may lie in the next day.
    length: i64,
    /// Seconds that its clock is ahead of UTC.
    offset: i64,
}

const DAY: i64 = 24 * 60 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const HOURS: &str = "write them as `22:00-06:00`";
/// What is counted is kept in one item of the memory.
const MAX_COUNT: usize = 1_000;
const MIN_PER: SignedDuration = SignedDuration::from_mins(1);
const MAX_PER: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Limits {
    /// The members of a map that it reads.
    pub(super) const MEMBERS: [&str; 2] = ["quiet", "max_alerts"];

    pub(super) fn parse(shape: Shape<'_>, map: &Node) -> Result<Self, Diagnostic> {
        Ok(Self {
            quiet: map.get("quiet").map(|node| Quiet::parse(shape, node)).transpose()?,
            max_alerts: map.get("max_alerts").map(|node| MaxAlerts::parse(shape, node)).transpose()?,
        })
    }

    /// Whether there are any.
    #[must_use]
    pub fn are_set(&self) -> bool {
        self.quiet.is_some() || self.max_alerts.is_some()
    }

    /// Until when nobody is told at this moment, if it is a quiet one.
    #[must_use]
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.quiet.as_ref()?.until(now)
    }
}

impl MaxAlerts {
    fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        shape.map(node, "max_alerts")?;
        shape.only(node, &["count", "per"])?;
        let advice = "as in `{count: 5, per: 1h}`";
        let (count, per) = (shape.required(node, "count", advice)?, shape.required(node, "per", advice)?);
        let wrong = |node: &Node, message: String| Err(shape.error(Code::WrongType, &node.span, message));
        let Some(number) = shape.text(count, "count")?.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count))
        else {
            return wrong(count, format!("`count` has to be a whole number from 1 to {MAX_COUNT}"))
                .map_err(|error| error.advise("to be told of nothing, write `mode: dry-run`"));
        };
        let stretch = shape.duration(per, "per")?;
        if !(MIN_PER..=MAX_PER).contains(&stretch) {
            return wrong(per, "`per` has to be from 1m to 7d".to_owned());
        }
        Ok(Self { count: number, per: stretch })
    }
}

impl Quiet {
    fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        let nodes = Shape::items(node);
        let quiet = Self(nodes.iter().map(|node| QuietTime::parse(shape, node)).collect::<Result<_, _>>()?);
        if nodes.is_empty() {
            return Err(shape.error(Code::Missing, &node.span, "`quiet` names no time").advise("leave it out"));
        }
        if quiet.until(Timestamp::UNIX_EPOCH).is_some_and(|end| end.as_second() > 7 * DAY) {
            return Err(shape
                .error(Code::WrongType, &node.span, "it is quiet at all times, so nobody would ever be told")
                .advise("to be told of nothing, write `mode: dry-run`"));
        }
        Ok(quiet)
    }

    /// The end of the quiet time that `now` lies in.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let start = now.as_second();
        let mut end = start;
        // One may begin where another ends; after a week it is the same again.
        while let Some(later) = self.0.iter().filter_map(|time| time.end(end)).max()
            && end - start <= 7 * DAY
        {
            end = later;
        }
        (end > start).then(|| Timestamp::from_second(end).ok())?
    }
}

impl QuietTime {
    fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        shape.map(node, "quiet")?;
        shape.only(node, &["hours", "days", "offset"])?;
        if node.get("hours").is_none() && node.get("days").is_none() {
            let error = shape.error(Code::Missing, &node.span, "`quiet` names neither `hours` nor `days`");
            return Err(error.advise("as in `{hours: '22:00-06:00'}` or `{days: [sat, sun]}`"));
        }
        let (from, to) = node.get("hours").map_or(Ok((0, DAY)), |node| hours(shape, node))?;
        let offset = node.get("offset").map_or(Ok(0), |node| offset(shape, node))?;
        let days = node.get("days").map_or(Ok([true; 7]), |node| days(shape, node))?;
        Ok(Self { days, from, length: if to > from { to - from } else { to + DAY - from }, offset })
    }

    /// When it ends, if this second lies in it.
    fn end(&self, second: i64) -> Option<i64> {
        let here = second + self.offset;
        let today = here.div_euclid(DAY);
        let end = |day: i64| {
            // The first day of 1970 was a Thursday. OK because a remainder of 7 is a place in the week.
            let weekday = usize::try_from((day + 3).rem_euclid(7)).ok()?;
            let begin = day * DAY + self.from;
            let end = begin + self.length;
            (self.days[weekday] && (begin..end).contains(&here)).then_some(end - self.offset)
        };
        end(today).or_else(|| end(today - 1))
    }
}

fn hours(shape: Shape<'_>, node: &Node) -> Result<(i64, i64), Diagnostic> {
    let text = shape.text(node, "hours")?;
    let wrong = |message: String| Err(shape.error(Code::WrongType, &node.span, message).advise(HOURS));
    let both = text.split_once('-').and_then(|(from, to)| Some((time(from.trim())?, time(to.trim())?)));
    match both {
        None => wrong(format!("`{text}` are no hours")),
        Some((DAY, _)) => wrong("a day begins at 00:00".to_owned()),
        Some((from, to)) if from == to => wrong(format!("`{text}` has no length; for whole days leave `hours` out")),
        Some(both) => Ok(both),
    }
}

/// `22:00`, in seconds; `24:00` is the end of a day.
fn time(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i64>().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    let seconds = (hours * 60 + minutes) * 60;
    (seconds <= DAY).then_some(seconds)
}

/// `+01:00`, in seconds. No names of places: they change their clocks, and to know when takes a table that ages.
fn offset(shape: Shape<'_>, node: &Node) -> Result<i64, Diagnostic> {
    let text = shape.text(node, "offset")?;
    let signed = |(sign, text): (i64, &str)| time(text).filter(|seconds| *seconds <= DAY * 14 / 24).map(|it| sign * it);
    let ahead = text.strip_prefix('+').map(|text| (1, text));
    ahead.or_else(|| text.strip_prefix('-').map(|text| (-1, text))).and_then(signed).ok_or_else(|| {
        shape
            .error(Code::WrongType, &node.span, format!("`{text}` is no offset from UTC"))
            .advise("write it as `+01:00`; names of time zones are not known")
    })
}

fn days(shape: Shape<'_>, node: &Node) -> Result<[bool; 7], Diagnostic> {
    let mut days = [false; 7];
    let words: Vec<(&str, usize)> = DAYS.into_iter().zip(0..).collect();
    for node in Shape::items(node) {
        // OK because the words' numbers are places in the week.
        days[shape.word(node, "day", &words)?] = true;
    }
    if days == [false; 7] {
        return Err(shape.error(Code::Missing, &node.span, "`days` names no day").advise("leave it out for every day"));
    }
    Ok(days)
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&times.join(", "))
    }
}

impl fmt::Display for QuietTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |seconds: i64| format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
        let mut words: Vec<String> = Vec::new();
        if self.days != [true; 7] {
            words.extend(DAYS.iter().zip(self.days).filter(|(_, on)| *on).map(|(day, _)| (*day).to_owned()));
        }
        if self.length != DAY {
            let to = self.from + self.length;
            words.push(format!("{}-{}", clock(self.from), clock(if to > DAY { to - DAY } else { to })));
        }
        if self.offset != 0 {
            let sign = if self.offset < 0 { '-' } else { '+' };
            words.push(format!("{sign}{}", clock(self.offset.abs())));
        }
        f.write_str(&words.join(" "))
    }
}

impl fmt::Display for MaxAlerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.per.as_secs();
        let units = [(DAY, 'd'), (60 * 60, 'h'), (60, 'm')];
        // OK to fall back on seconds: whatever is left over.
        let (unit, letter) = units.into_iter().find(|(unit, _)| seconds % unit == 0).unwrap_or((1, 's'));
        write!(f, "{} per {}{letter}", self.count, seconds / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Organisation;
    use super::*;
    use crate::yaml::SourceFile;

    fn parse(limits: &str) -> Result<Limits, Diagnostic> {
        let organisation = Organisation::parse(&SourceFile::new("c.yaml", format!("rules: {{r: {{{limits}}}}}")))?;
        Ok(organisation.overrides["r"].limits.clone())
    }

    /// The end of the quiet time in November 2026 that a moment lies in. The 5th is a Thursday.
    fn until(quiet: &str, moment: &str) -> String {
        let limits = parse(&format!("quiet: {quiet}")).unwrap();
        let end = limits.quiet_until(format!("2026-11-{moment}:00Z").parse().unwrap());
        end.map_or_else(String::new, |end| end.strftime("%dT%H:%M").to_string())
    }

    #[test]
    fn quiet_hours_may_reach_over_midnight() {
        for (moment, end) in [
            ("05T21:59", ""),
            ("05T22:00", "06T06:00"),
            ("05T23:59", "06T06:00"),
            ("06T00:00", "06T06:00"),
            ("06T05:59", "06T06:00"),
            ("06T06:00", ""),
            ("06T12:00", ""),
        ] {
            assert_eq!(until("{hours: '22:00-06:00'}", moment), end, "{moment}");
        }
        assert_eq!(until("{hours: '12:00-24:00'}", "05T23:59"), "06T00:00");
        assert_eq!(until("{hours: '12:00-13:00'}", "05T13:00"), "");
    }

    #[test]
    fn a_quiet_time_belongs_to_the_day_that_it_begins_on() {
        for (moment, end) in [
            ("06T23:00", "07T06:00"),
            ("07T05:00", "07T06:00"),
            ("07T23:00", "08T06:00"),
            ("08T05:00", "08T06:00"),
            ("08T23:00", ""),
            ("06T05:00", ""),
        ] {
            assert_eq!(until("{hours: '22:00-06:00', days: [fri, sat]}", moment), end, "{moment}");
        }
    }

    #[test]
    fn quiet_times_that_meet_are_one() {
        let quiet = "[{hours: '20:00-08:00'}, {days: [sat, sun]}]";
        for (moment, end) in [
            ("05T19:59", ""),
            ("05T20:00", "06T08:00"),
            ("06T21:00", "09T08:00"),
            ("08T12:00", "09T08:00"),
            ("09T08:00", ""),
        ] {
            assert_eq!(until(quiet, moment), end, "{moment}");
        }
        assert_eq!(until("{days: sun}", "08T00:00"), "09T00:00");
    }

    #[test]
    fn another_clock_has_other_hours_and_days() {
        assert_eq!(until("{hours: '22:00-06:00', offset: '+01:00'}", "05T21:00"), "06T05:00");
        assert_eq!(until("{hours: '22:00-06:00', offset: '-05:00'}", "05T22:00"), "");
        assert_eq!(until("{days: [sat], offset: '+09:30'}", "06T14:29"), "");
        assert_eq!(until("{days: [sat], offset: '+09:30'}", "06T14:30"), "07T14:30");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (limits, expected) in [
            ("quiet: {hours: 22-06}", "`22-06` are no hours"),
            ("quiet: {hours: '22:00-25:00'}", "are no hours"),
            ("quiet: {hours: '22:60-23:00'}", "are no hours"),
            ("quiet: {hours: '24:00-06:00'}", "a day begins at 00:00"),
            ("quiet: {hours: '06:00-06:00'}", "has no length"),
            ("quiet: {days: [sunday]}", "`sunday` is no day"),
            ("quiet: {days: []}", "names no day"),
            ("quiet: {offset: '+01:00'}", "neither `hours` nor `days`"),
            ("quiet: []", "names no time"),
            ("quiet: {hours: '22:00-06:00', offset: Europe/Berlin}", "is no offset from UTC"),
            ("quiet: {hours: '22:00-06:00', offset: '+15:00'}", "is no offset from UTC"),
            ("quiet: [{hours: '06:00-22:00'}, {hours: '22:00-06:00'}]", "quiet at all times"),
            ("quiet: {days: [mon, tue, wed, thu, fri, sat, sun]}", "quiet at all times"),
            ("quiet: '22:00-06:00'", "quiet has to be a map"),
            ("max_alerts: {count: 0, per: 1h}", "from 1 to 1000"),
            ("max_alerts: {count: 1001, per: 1h}", "from 1 to 1000"),
            ("max_alerts: {count: five, per: 1h}", "from 1 to 1000"),
            ("max_alerts: {count: 5}", "`per` is missing"),
            ("max_alerts: {count: 5, per: 8d}", "from 1m to 7d"),
            ("max_alerts: {count: 5, per: 1h, of: all}", "`of` is not known here"),
        ] {
            let error = parse(limits).unwrap_err();
            assert!(error.message().contains(expected), "{limits}: {}", error.message());
        }
    }

    #[test]
    fn limits_are_shown_as_they_are_written() {
        for quiet in ["22:00-06:00", "sat sun", "fri 18:00-24:00 +01:00", "mon 00:30-01:00 -05:30"] {
            let (mut days, mut rest) = (Vec::new(), String::new());
            for word in quiet.split(' ') {
                match word {
                    day if DAYS.contains(&day) => days.push(day),
                    hours if hours.len() > 6 => rest += &format!("hours: '{hours}', "),
                    offset => rest += &format!("offset: '{offset}', "),
                }
            }
            let days = if days.is_empty() { String::new() } else { format!("days: [{}], ", days.join(", ")) };
            let limits = parse(&format!("quiet: {{{days}{rest}}}")).unwrap();
            assert_eq!(limits.quiet.unwrap().to_string(), quiet);
        }
        let shown = |per: &str| parse(&format!("max_alerts: {{count: 5, per: {per}}}")).unwrap().max_alerts.unwrap();
        assert_eq!(
            ["60m", "90m", "24h", "90s"].map(|per| shown(per).to_string()),
            ["5 per 1h", "5 per 90m", "5 per 1d", "5 per 90s"]
        );
    }
}
