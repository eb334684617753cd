#include "bench/objects_corpus.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/file.h"
#include "bench/must.h"
#include "bench/run_program.h"

namespace redoubt::bench {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kCorpusBytesMin = 2'000, kCorpusBytesMax = 4'000'000;
constexpr uintmax_t kProgramBytesMin = 200'000;  // those that come by mail and web are larger than Debian's
constexpr size_t kMembersOfZip = 4;
constexpr size_t kBase64LineBytes = 57;

struct Class {
  size_t count;
  uintmax_t bytes_min;
  std::vector<const char*> folders;
  std::vector<std::string_view> endings;  // none: any
};

bool ends_with_one_of(const std::string& path, const std::vector<std::string_view>& endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view end) { return path.ends_with(end); });
}

std::vector<std::string> paths_of(const Class& wanted) {
  std::vector<std::string> paths;
  for (const char* folder : wanted.folders) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error), end;
         entry != end && !error; entry.increment(error)) {
      if (entry->is_symlink() || !entry->is_regular_file()) continue;
      const uintmax_t size = entry->file_size();
      if (size < wanted.bytes_min || size > kCorpusBytesMax) continue;
      if (wanted.endings.empty() || ends_with_one_of(entry->path(), wanted.endings)) paths.push_back(entry->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void take_evenly(const Class& wanted, std::vector<CorpusFile>& corpus) {
  const std::vector<std::string> paths = paths_of(wanted);
  const size_t step = std::max<size_t>(1, paths.size() / wanted.count);
  for (size_t i = 0, taken = 0; i < paths.size() && taken < wanted.count; i += step, ++taken) {
    corpus.push_back({paths[i], must(base::read_file(paths[i], kCorpusBytesMax))});
  }
}

std::string base64_lines(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t block = 0;
    for (size_t i = 0; i < 3; ++i) {
      block = block << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0U);
    }
    for (size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : kDigits[block >> (18 - 6 * i) & 63];
    if (at % kBase64LineBytes == kBase64LineBytes - 3) text += "\r\n";
  }
  return text;
}

std::string mail_of(const CorpusFile& attachment, size_t number) {
  const std::string name = fs::path(attachment.path).filename();
  return "From: sender@example.org\r\nTo: receiver@example.net\r\nSubject: files " + std::to_string(number) +
         "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n--cut\r\n"
         "Content-Type: text/plain\r\n\r\nPlease find the file attached.\r\n--cut\r\n"
         "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
         "Content-Disposition: attachment; filename=\"" +
         name + "\"\r\n\r\n" + base64_lines(attachment.content) + "\r\n--cut--\r\n";
}

void add_mails(size_t count, const std::string& directory, std::vector<CorpusFile>& corpus) {
  const size_t files = corpus.size();
  for (size_t i = 0; i < count; ++i) {
    CorpusFile mail{directory + "/mail" + std::to_string(i) + ".eml", mail_of(corpus[i * files / count], i)};
    must(base::write_file_atomic(mail.path, mail.content, base::kPublicFile));
    corpus.push_back(std::move(mail));
  }
}

void add_zips(size_t count, const std::string& directory, std::vector<CorpusFile>& corpus) {
  const size_t files = corpus.size();
  for (size_t i = 0; i < count; ++i) {
    CorpusFile zip{directory + "/files" + std::to_string(i) + ".zip", ""};
    std::vector<std::string> words = {"zip", "-q", "-j", "-X", zip.path};
    for (size_t member = 0; member < kMembersOfZip; ++member) {
      words.push_back(corpus[(i * files / count + member * 7) % files].path);
    }
    run_program(words);
    zip.content = must(base::read_file(zip.path, kMembersOfZip * kCorpusBytesMax));
    corpus.push_back(std::move(zip));
  }
}

}  // namespace

std::vector<CorpusFile> read_corpus(const std::string& directory) {
  const std::vector<Class> classes = {
      {120, kProgramBytesMin, {"/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu"}, {}},
      {120, kCorpusBytesMin, {"/usr/share/doc"}, {".html", ".htm"}},
      {50,
       kCorpusBytesMin,
       {"/usr/share/doc", "/usr/share/perl", "/usr/lib/python3"},
       {".txt", ".md", ".pm", ".py", ".gz"}},
      {29, kCorpusBytesMin, {"/usr/share"}, {".png", ".jpg", ".gif"}},
      {12,
       kCorpusBytesMin,
       {"/usr/share/doc", "/usr/share/clamav-testfiles"},
       {".pdf", ".doc", ".ppt", ".docx", ".xlsx"}},
      {16, kCorpusBytesMin, {"/usr/share/java", "/usr/share/maven-repo", "/usr/lib/jvm"}, {".jar"}},
  };
  std::vector<CorpusFile> corpus;
  for (const Class& wanted : classes) take_evenly(wanted, corpus);
  if (corpus.empty()) give_up("no files of Debian packages here");
  add_mails(40, directory, corpus);
  add_zips(15, directory, corpus);
  return corpus;
}

}  // namespace redoubt::bench
