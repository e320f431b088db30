// The admin's box that fills in a time offers 6 a.m.: on this desk it is 06:00.
const shortcuts = window.DateTimeShortcuts;
if (shortcuts) {
  const hours = [0, 6, 12, 18].map((hour) => [`${String(hour).padStart(2, "0")}:00`, hour]);
  shortcuts.clockHours.default_ = [["Now", -1], ...hours];
}
