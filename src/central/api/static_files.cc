#include "central/api/static_files.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/file.h"

namespace redoubt::central {

namespace {

constexpr size_t kFileBytesMax = size_t{32} << 20;

struct ContentType {
  std::string_view extension, type;
};
constexpr auto kContentTypes = std::to_array<ContentType>({{".html", "text/html; charset=utf-8"},
                                                           {".js", "text/javascript; charset=utf-8"},
                                                           {".css", "text/css; charset=utf-8"},
                                                           {".svg", "image/svg+xml"},
                                                           {".png", "image/png"},
                                                           {".ico", "image/x-icon"},
                                                           {".woff2", "font/woff2"},
                                                           {".woff", "font/woff"},
                                                           {".json", "application/json"},
                                                           {".txt", "text/plain; charset=utf-8"},
                                                           {".webmanifest", "application/manifest+json"}});

std::string_view content_type_of(const std::string& extension) {
  for (const ContentType& row : kContentTypes) {
    if (row.extension == extension) return row.type;
  }
  return "application/octet-stream";
}

bool climbs(const std::string& segment) {
  return segment.empty() || segment[0] == '.' || segment.find('/') != std::string::npos;
}

}  // namespace

Response serve_file(const std::string& web_directory, const std::vector<std::string>& segments) {
  const Error none{Errc::not_found, "no such page"};
  if (web_directory.empty() || std::any_of(segments.begin(), segments.end(), climbs)) return error_response(none);
  std::filesystem::path path(web_directory);
  for (const std::string& segment : segments) path /= segment;
  const std::string extension = segments.empty() ? "" : path.extension().string();
  if (extension.empty() || extension == ".html") {
    // Every page of the console is the one page; what it shows is in its address.
    auto html = base::read_file(web_directory + "/index.html", kFileBytesMax);
    if (!html)
      return error_response({Errc::not_found, "the console is not installed: no index.html in the web directory"});
    return {.content_type = "text/html; charset=utf-8",
            .body = *std::move(html),
            .headers = {{"Cache-Control", "no-cache"}}};
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return error_response(none);
  auto content = base::read_file(path.string(), kFileBytesMax);
  if (!content) return error_response(none);
  Response response{.content_type = std::string(content_type_of(extension)), .body = *std::move(content)};
  // The build names its assets by their content.
  const bool hashed = !segments.empty() && segments[0] == "assets";
  response.headers = {{"Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache"}};
  return response;
}

}  // namespace redoubt::central
