#!/bin/sh
# rule: 68a58ae7-4e2a-4845-822a-20c5c5875d30
# A copy of true is written to a memory file and run from it.
set -eu
scratch=$1
perl -e '
  my $number = `uname -m` =~ /aarch64/ ? 279 : 319;
  my $name = "update";
  my $fd = syscall($number, $name, 0);
  open(my $out, ">&=", $fd) or die; open(my $in, "<", "/bin/true") or die;
  binmode $in; binmode $out; { local $/; print {$out} <$in>; } $out->flush;
  system { "/proc/$$/fd/$fd" } "update";
'
