// The variables that say through which proxy a program talks ("https_proxy=http://user:password@host:3128") are told
// without the credentials in them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::sensor {

// NAME=VALUE with "***" for all that stands before the host; as it is if it is no such variable or has no credentials.
std::string without_credentials(std::string_view variable);

}  // namespace redoubt::sensor
