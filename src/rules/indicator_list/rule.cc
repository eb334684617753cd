#include "rules/indicator_list/rule.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/address.h"
#include "base/text.h"
#include "rules/criterion.h"

namespace redoubt::rules::indicator_list {

namespace {

using event::Field;

enum class Kind : uint8_t { sha256, address, path, md5, sha1, domain, url, other };
constexpr size_t kKindCount = 8;

// As it is called in warnings.
std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::sha256: return "SHA-256";
    case Kind::address: return "address";
    case Kind::path: return "path";
    case Kind::md5: return "MD5";
    case Kind::sha1: return "SHA-1";
    case Kind::domain: return "domain name";
    case Kind::url: return "URL";
    case Kind::other: return "neither a hash, an address, a domain name, a URL nor an absolute path";
  }
  return "";
}

std::vector<Property> watched(Kind kind) {
  switch (kind) {
    // Of programs alone: a long list is memory for every field that it is looked for in.
    case Kind::sha256: return {{Entity::started_process, Field::process_hash_sha256}};
    case Kind::sha1: return {{Entity::started_process, Field::process_hash_sha1}};
    case Kind::md5: return {{Entity::started_process, Field::process_hash_md5}};
    case Kind::address: return {{Entity::outbound, Field::destination_ip}, {Entity::inbound, Field::source_ip}};
    case Kind::path:
      return {{Entity::file, Field::file_path},
              {Entity::started_process, Field::process_executable},
              {Entity::loaded_file, Field::file_path}};
    case Kind::domain:
      return {{Entity::looked_up_name, Field::dns_question_name}, {Entity::outbound, Field::destination_domain}};
    case Kind::url:
      return {{Entity::started_process, Field::process_command_line}, {Entity::log_record, Field::attributes}};
    case Kind::other: break;
  }
  return {};
}

// How the values of a kind are compared: a URL stands inside a text; `*` in a domain name is any run.
query::Operator operator_of(Kind kind) {
  if (kind == Kind::url) return query::Operator::contains;
  return kind == Kind::domain ? query::Operator::like : query::Operator::equal;
}

constexpr size_t kDomainBytesMax = 253;
constexpr size_t kUrlBytesMax = 8192;
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_domain(std::string_view text) {
  const auto is_label_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '*' || static_cast<unsigned char>(c) >= 0x80;
  };
  const size_t dot = text.find('.');
  return text.size() <= kDomainBytesMax && dot != std::string_view::npos && dot + 1 < text.size() &&
         std::all_of(text.begin(), text.end(), is_label_char);
}

Kind kind_of(std::string_view text) {
  if (text.find_first_not_of(kHexDigits) == std::string_view::npos) {
    if (text.size() == 64) return Kind::sha256;
    if (text.size() == 40) return Kind::sha1;
    if (text.size() == 32) return Kind::md5;
  }
  if (text.starts_with('/')) return Kind::path;
  if (text.find("://") != std::string_view::npos) return text.size() <= kUrlBytesMax ? Kind::url : Kind::other;
  if (base::is_prefix(text)) return Kind::address;
  return is_domain(text) ? Kind::domain : Kind::other;
}

// Written so that nobody clicks on it: 203[.]0[.]113[.]9.
std::string fanged(std::string_view text) {
  std::string out(text);
  for (size_t at = out.find("[.]"); at != std::string::npos; at = out.find("[.]", at)) out.replace(at, 3, ".");
  return out;
}

// The indicator of a line: a path with its blanks, anything else up to the first blank or comma.
std::string indicator_in(std::string_view line) {
  if (line.starts_with('/')) return std::string(line);
  return fanged(line.substr(0, line.find_first_of(" \t,;")));
}

class ListReader {
 public:
  ListReader(std::string_view source, const std::string& path) : source_(source), path_(path) {
    rule_.id = "list:" + path;
    rule_.title = path;
    rule_.format = "list";
    rule_.path = path;
  }

  LoadedFile read() {
    if (!base::is_utf8(source_)) return refused(code::kText, "the file is not UTF-8");
    if (source_.starts_with("\xEF\xBB\xBF")) source_.remove_prefix(3);
    size_t line = 0;
    for (std::string_view rest = source_; !rest.empty();) {
      const size_t end = rest.find('\n');
      ++line;
      read_line(trim(rest.substr(0, end)), line);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return finish();
  }

 private:
  void read_line(std::string_view text, size_t line) {
    if (text.empty()) return;
    if (text.starts_with('#')) return read_comment(trim(text.substr(1)));
    std::string indicator = indicator_in(text);
    const Kind kind = kind_of(indicator);
    Found& found = found_[static_cast<size_t>(kind)];
    if (found.count++ == 0) found.first_line = line;
    in_heading_ = false;
    if (kind == Kind::other) return;
    found.values.push_back(written(kind, std::move(indicator)));
  }

  // The indicator as it is compared.
  static std::string written(Kind kind, std::string indicator) {
    if (kind == Kind::sha256 || kind == Kind::sha1 || kind == Kind::md5) return base::fold_case(indicator);
    if (kind != Kind::domain) return indicator;
    std::string pattern;
    for (const char c : indicator) {
      if (c == '*') pattern += query::kAnyRunUtf8;
      if (c != '*') pattern += c;
    }
    return pattern;
  }

  void read_comment(std::string_view text) {
    const size_t colon = text.find(':');
    if (!in_heading_ || colon == std::string_view::npos) return;
    const std::string key = base::fold_case(trim(text.substr(0, colon)));
    const std::string value(trim(text.substr(colon + 1)));
    if (key == "title" && !value.empty()) rule_.title = value;
    if (key == "description") rule_.description = value;
    constexpr std::array kImportances = {Importance::informational, Importance::low, Importance::medium,
                                         Importance::high, Importance::critical};
    for (const Importance each : kImportances) {
      if (key == "importance" && base::fold_case(value) == name_of(each)) rule_.importance = each;
    }
  }

  LoadedFile finish() {
    Criterion any;
    for (size_t i = 0; i < kKindCount; ++i) {
      const auto kind = static_cast<Kind>(i);
      if (found_[i].count == 0) continue;
      const std::string missing = kind == Kind::other ? std::string() : missing_on_agents(watched(kind));
      if (kind == Kind::other || !missing.empty()) add_warning(kind, found_[i], missing);
      if (kind == Kind::other) continue;
      any.children.push_back(test_of(kind, std::move(found_[i].values)));
    }
    if (any.children.empty()) {
      return refused(code::kNothing, rule_.warnings.empty() ? "the list is empty"
                                                            : "nothing of the list can be watched for here: " +
                                                                  rule_.warnings.front().message);
    }
    auto lowered = lower_criterion(any);
    if (!lowered) return refused(code::kNothing, lowered.error().message);
    rule_.expression = *std::move(lowered);
    LoadedFile file;
    file.rules.push_back({.rule = std::move(rule_), .id_line = 1});
    return file;
  }

  // Values in order, once each: a million of them are one test, and no test of the limit more.
  static Criterion test_of(Kind kind, std::vector<std::string> values) {
    Criterion test;
    test.kind = Criterion::Kind::test;
    test.properties = watched(kind);
    test.op = operator_of(kind);
    if (kind == Kind::path) test.case_mode = query::CaseMode::exact;
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    test.values = std::move(values);
    return test;
  }

  struct Found {
    size_t count = 0;
    size_t first_line = 0;
    std::vector<std::string> values;
  };

  void add_warning(Kind kind, const Found& found, const std::string& missing) {
    query::Diagnostic warning;
    warning.code = std::string(kind == Kind::other ? code::kNoIndicator : code::kNotCarried);
    warning.line = found.first_line;
    warning.message = std::string(name_of(kind)) + (missing.empty() ? "" : ": " + missing) + " (" +
                      std::to_string(found.count) + (found.count == 1 ? " line)" : " lines, this is the first)");
    rule_.warnings.push_back(std::move(warning));
  }

  LoadedFile refused(std::string_view code, std::string message) {
    query::Diagnostic diagnostic;
    diagnostic.code = std::string(code);
    diagnostic.message = std::move(message);
    if (!rule_.warnings.empty()) diagnostic.line = rule_.warnings.front().line;
    LoadedFile file;
    file.refusals.push_back(refusal_of(path_, rule_.title, std::move(diagnostic), source_));
    return file;
  }

  std::string_view source_;
  const std::string& path_;
  Rule rule_;
  bool in_heading_ = true;
  std::array<Found, kKindCount> found_;
};

}  // namespace

LoadedFile read_list(std::string_view source, const std::string& path) { return ListReader(source, path).read(); }

}  // namespace redoubt::rules::indicator_list
