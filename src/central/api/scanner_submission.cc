// A submission of an external system: a form whose file goes to the object door as it comes, and whose fields may stand
// before it or behind it.
#include "base/hash.h"
#include "central/api/handlers.h"
#include "central/api/multipart.h"
#include "central/api/scanner_names.h"

namespace redoubt::central {

namespace {

constexpr size_t kFieldBytesMax = 1024;
constexpr std::string_view kContentPart = "content";

class ScanForm final : public BodySink, private PartSink {
 public:
  ScanForm(Services& services, ScanName name, const std::string& boundary,
           std::unique_ptr<SubmissionLimits::Place> place)
      : services_(services), name_(std::move(name)), place_(std::move(place)), reader_(boundary, *this) {}

  Status write(std::string_view bytes) override { return reader_.write(bytes); }
  Response finish() override {
    const Status accepted = accept();
    return accepted ? Response{.content_type = "text/plain", .body = "OK"} : error_response(accepted.error());
  }

 private:
  enum class Into : uint8_t { content, field };

  Status begin_part(const PartHead& head) override {
    into_ = head.name == kContentPart ? Into::content : Into::field;
    if (into_ == Into::content) return begin_content(head);
    field_ = head.name;
    value_.clear();
    return {};
  }
  Status begin_content(const PartHead& head) {
    if (submission_) return fail(Errc::invalid_argument, "form: more than one 'content'");
    TRY(submission_, services_.objects.begin({.name = head.file_name.value_or(""),
                                              .source = ObjectSource::external_system,
                                              .submitted_by = name_.system_id}));
    return {};
  }
  Status part_bytes(std::string_view bytes) override {
    if (into_ == Into::content) {
      hash_.update(bytes);
      return submission_->write(bytes);
    }
    if (value_.size() + bytes.size() > kFieldBytesMax) {
      return fail(Errc::invalid_argument, "form: a field of more than 1 KiB");
    }
    value_ += bytes;
    return {};
  }
  Status end_part() override { return into_ == Into::content ? Status() : take_field(); }

  // Fields that mean nothing here are left out, as clients of other versions send some.
  Status take_field() {
    if (names_scan_id(field_)) {
      if (!name_.scan_id.empty()) return fail(Errc::invalid_argument, "form: more than one 'scanId'");
      TRY_STATUS(check_scan_id(value_));
      name_.scan_id = value_;
    } else if (names_instance(field_)) {
      TRY_STATUS(check_instance(value_));
      name_.instance = value_;
    } else if (field_ == "objectType" && value_ != "file") {
      return fail(Errc::invalid_argument, "'objectType': file");
    }
    return {};
  }

  Status accept() {
    TRY_STATUS(reader_.finish());
    if (!submission_) return fail(Errc::invalid_argument, "form: the file 'content' is missing");
    const std::string sha256 = hash_.finish_hex();
    if (!name_.scan_id.empty()) {
      TRY(const auto before, services_.scans.find(name_));
      if (!before.empty()) return same_content(before, sha256);
    }
    TRY(const Object object, submission_->finish());
    if (name_.scan_id.empty()) return {};  // judged, but nobody can ask for it
    const Status added = services_.scans.add({.name = name_, .object_id = object.id, .sha256 = object.sha256});
    if (added || added.error().code != Errc::already_exists) return added;
    // The same id came twice at the same time.
    TRY(const auto other, services_.scans.find(name_));
    return same_content(other, sha256);
  }

  // A client that did not hear the answer sends all of it again: that is no new scan. Other content is a mistake.
  Status same_content(const std::vector<ExternalScan>& scans, const std::string& sha256) const {
    for (const ExternalScan& scan : scans) {
      if (scan.sha256 == sha256) return {};
    }
    return fail(Errc::invalid_argument, "'scanId': '" + name_.scan_id + "' is used already, for other content");
  }

  Services& services_;
  ScanName name_;
  const std::unique_ptr<SubmissionLimits::Place> place_;
  MultipartReader reader_;
  std::unique_ptr<Submission> submission_;
  base::Sha256 hash_;  // of the content: known before the object is queued
  Into into_ = Into::field;
  std::string field_, value_;  // the one that comes
};

}  // namespace

Result<std::unique_ptr<BodySink>> submit_scan(Services& services, const Request& request) {
  TRY(const std::string boundary, form_boundary(request.header("content-type")));
  TRY(ScanName name, scan_of_request(request));
  TRY(auto place, services.submission_limits.take(name.system_id, base::Time::now()));
  return std::make_unique<ScanForm>(services, std::move(name), boundary, std::move(place));
}

}  // namespace redoubt::central
