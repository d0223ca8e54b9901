// Package scanner does to a mail what the scanners of mail providers do before anybody reads it, and more.
//
// [Fetch] asks for each address in the mail by HEAD and by GET. [Report.Open] opens each in a Chromium with cookies of its own, as if
// somebody had clicked, runs the scripts, fills every field of every form with something of its kind, clicks every button, and follows the
// links that stay on the site, two levels deep. It understands nothing: a field gets a made-up value, not what the mail says.
//
// It leans on apptest/browser.
package scanner
