//! incident.io's Atom feed: one entry per incident, newest first, its state in the content.

use jiff::Timestamp;

use super::{IncidentStatus, PageIncident, StatusPage};

impl StatusPage {
    pub(super) fn atom(&self, url: &str, now: Timestamp) -> String {
        let mut feed = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
             <title>{} status</title>\n<generator>incident.io</generator>\n",
            self.name
        );
        for incident in self.incidents.iter().rev() {
            if let Some(entry) = self.entry(incident, url, now) {
                feed.push_str(&entry);
            }
        }
        feed.push_str("</feed>\n");
        feed
    }

    fn entry(&self, incident: &PageIncident, url: &str, now: Timestamp) -> Option<String> {
        let written = incident.written(now);
        let last = written.last()?;
        let state = match last.status {
            IncidentStatus::Investigating => "Investigating",
            IncidentStatus::Identified => "Identified",
            IncidentStatus::Monitoring => "Monitoring",
            IncidentStatus::Resolved => "Resolved",
        };
        let mut content = format!("<b>Status: {state}</b><br/><br/>{}", last.text);
        let rows = self.components.iter().filter(|row| incident.components.contains(&row.id));
        let mut rows = rows.peekable();
        if rows.peek().is_some() {
            content.push_str("<br/><br/><b>Affected components</b><ul>");
            for row in rows {
                let word = super::native::word(self.state(row, now)).replace('_', " ");
                content.push_str(&["<li>", &row.name, " (", &word, ")</li>"].concat());
            }
            content.push_str("</ul>");
        }
        // The double slash is incident.io's.
        let link = format!("{url}/incidents/{}", incident.id);
        Some(format!(
            "<entry>\n<title type=\"html\"><![CDATA[{}]]></title>\n<id>{link}</id>\n\
             <link href=\"{link}\"/>\n<updated>{}</updated>\n\
             <content type=\"html\"><![CDATA[{content}]]></content>\n</entry>\n",
            incident.name, last.at
        ))
    }
}
