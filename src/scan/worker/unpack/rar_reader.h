// Whether files of a RAR 5 archive are encrypted: libarchive 3.6 does not look and gives what is encrypted as content.
// Hostile input: linear, reads headers alone. One thread.
#pragma once

#include <string_view>

namespace redoubt::scan {

// Of the archive that begins first in the content; false for what is none.
bool has_encrypted_rar_files(std::string_view content);

}  // namespace redoubt::scan
