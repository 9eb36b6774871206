"""Files: answers as CSV, XLSX and DOCX for people; pure, they know nothing of where an answer comes from."""
