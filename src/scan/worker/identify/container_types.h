// What libmagic's names say about containers: which must not stay closed in silence. Values; any thread.
#pragma once

#include <string_view>

namespace redoubt::scan {

// What is certainly a container of a kind that the worker opens: one of these that it could not is said to be.
bool is_container_type(std::string_view type);
// Whether an archive is all that the content is. A program or an image that has one behind it is more, and so is a zip
// with a second directory, of which readers take the one or the other.
bool is_archive_alone(std::string_view content, std::string_view type);
// Containers that ClamAV opens and the worker does not: documents and mails of Microsoft's compound files, help files,
// …
bool is_opened_by_clamav_alone(std::string_view type);
// A disk or a file system in a file, as its first sectors say or its type: nobody looks into those, but for ISO 9660.
bool is_disk_image(std::string_view content, std::string_view type);

}  // namespace redoubt::scan
