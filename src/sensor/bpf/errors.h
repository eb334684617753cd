// What calls that were denied come to, below 0.
#pragma once

enum { RD_EPERM = 1, RD_EACCES = 13 };
