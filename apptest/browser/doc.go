// Package browser lets a test read pages as people do, in a real Chromium.
//
// A [Visitor] has a window and cookies of their own. They open addresses, click what has a name, type into what has a label and read what
// is shown; names and labels are those of Chromium's accessibility tree, so what a screen reader cannot find a visitor cannot either. With
// [Options.Keyboard] they have no mouse and reach everything by Tab, and with [Options.NoScript] no script of the page runs: the same walk
// can be gone in each way.
//
// A test in which the browser complains fails at its end: a policy that was violated, an exception, an error in the console, a picture or
// style that could not be had, a request to another site. [Visitor.Axe], [Visitor.Cut] and their like look at what is shown now.
//
// One Chromium serves all visitors of a test binary. It starts with the first of them, in a directory of its own; [Around] ends it. Without
// Chromium or axe-core a test is skipped, with CI=true it fails (see [apptest.Missing]).
//
// It leans on chromedp, axe-core (npm, never part of the program), apptest and the catalogue.
package browser
