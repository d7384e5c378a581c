"""Types of the platform itself (reference 3.1, 3.2), in the notation of `shapes.py`."""

CORE = """
~Record: nullFieldList:NullField
NullField: name*:s
~BaseRef: name:s
RecordRef[internalId:s externalId:s type:RecordType] < BaseRef:
RecordRefList: recordRef*:R
BaseRefList: baseRef*:BaseRef
Status[isSuccess:b]: statusDetail*:StatusDetail
StatusDetail[type:StatusDetailType=ERROR]: code:StatusDetailCodeType message:s afterSubmitFailed:b
~SearchRecord:
~SearchRow:
~SearchRowBasic < SearchRow:
~SearchRecordBasic < SearchRecord:
SearchResult: status!:Status totalRecords:i pageSize:i totalPages:i pageIndex:i searchId:s recordList:RecordList
    searchRowList:SearchRowList
RecordList: record*:Record
SearchRowList: searchRow*:SearchRow
GetAllRecord[recordType:GetAllRecordType]:
GetAllResult: status!:Status totalRecords:i recordList:RecordList
GetDeletedFilter: deletedDate:qt type:qe scriptId:qs
DeletedRecord: deletedDate:t record:BaseRef
DeletedRecordList: deletedRecord*:DeletedRecord
GetDeletedResult: status!:Status totalRecords:i pageSize:i totalPages:i pageIndex:i
    deletedRecordList:DeletedRecordList
InitializeRef[type:InitializeRefType internalId:s externalId:s] < BaseRef:
InitializeRefList: initializeRef*:InitializeRef
InitializeAuxRef[type:InitializeAuxRefType internalId:s externalId:s scriptId:s] < BaseRef:
InitializeRecord: type!:InitializeType reference:InitializeRef auxReference:InitializeAuxRef
    referenceList:InitializeRefList
DeletionReason: deletionReasonCode!:R deletionReasonMemo:s
DataCenterUrls: restDomain!:s webservicesDomain!:s systemDomain!:s
GetDataCenterUrlsResult: status!:Status dataCenterUrls:DataCenterUrls
GetSelectValueFieldDescription: recordType:RecordType customRecordType:R customTransactionType:R sublist:s field!:s
    customForm:R filter:GetSelectValueFilter filterByValueList:GetSelectFilterByFieldValueList
GetSelectValueFilter[operator:s]: filterValue!:s
GetSelectFilterByFieldValueList: filterBy*:GetSelectFilterByFieldValue
GetSelectFilterByFieldValue: sublist:s field!:s internalId!:s
GetSelectValueResult: status!:Status totalRecords:i totalPages:i baseRefList:BaseRefList
GetServerTimeResult: status!:Status serverTime!:t
GetAccountGovernanceInfoResult: status!:Status accountConcurrencyLimit:l unallocatedConcurrencyLimit:l
GetIntegrationGovernanceInfoResult: status!:Status integrationConcurrencyLimit:l
    limitType:GetIntegrationGovernanceInfoLimitType
ListOrRecordRef[internalId:s externalId:s typeId:s]: name:s
~CustomFieldRef[internalId:s scriptId:s]:
LongCustomFieldRef < CustomFieldRef: value!:l
DoubleCustomFieldRef < CustomFieldRef: value!:d
BooleanCustomFieldRef < CustomFieldRef: value!:b
StringCustomFieldRef < CustomFieldRef: value!:s
DateCustomFieldRef < CustomFieldRef: value!:t
SelectCustomFieldRef < CustomFieldRef: value!:ListOrRecordRef
MultiSelectCustomFieldRef < CustomFieldRef: value*!:ListOrRecordRef
CustomFieldList: customField*:CustomFieldRef
TokenPassport: account!:s consumerKey!:s token!:s nonce!:s timestamp!:l signature!:TokenPassportSignature
TokenPassportSignature[algorithm:s!] < string:
SearchStringField[operator:SearchStringFieldOperator]: searchValue:s
SearchBooleanField: searchValue:b
SearchLongField[operator:SearchLongFieldOperator]: searchValue:l searchValue2:l
SearchDoubleField[operator:SearchDoubleFieldOperator]: searchValue:d searchValue2:d
SearchTextNumberField[operator:SearchTextNumberFieldOperator]: searchValue:s searchValue2:s
SearchDateField[operator:SearchDateFieldOperator]: predefinedSearchValue:SearchDate searchValue:t searchValue2:t
SearchMultiSelectField[operator:SearchMultiSelectFieldOperator]: searchValue*:R
SearchEnumMultiSelectField[operator:SearchEnumMultiSelectFieldOperator]: searchValue*:s
~SearchColumnField: customLabel:s
SearchColumnStringField < SearchColumnField: searchValue:s
SearchColumnBooleanField < SearchColumnField: searchValue:b
SearchColumnLongField < SearchColumnField: searchValue:l
SearchColumnDoubleField < SearchColumnField: searchValue:d
SearchColumnTextNumberField < SearchColumnField: searchValue:s
SearchColumnDateField < SearchColumnField: searchValue:t
SearchColumnSelectField < SearchColumnField: searchValue:R
SearchColumnEnumSelectField < SearchColumnField: searchValue:s
"""
"""What everything is made of: references, statuses, results, criteria fields, columns, custom fields."""

MESSAGES = """
ApplicationInfo: applicationId!:s
PartnerInfo: partnerId:s
DocumentInfo: nsId!:s
Preferences: warningAsError:b disableMandatoryCustomFieldValidation:b disableSystemNotesForCustomFields:b
    ignoreReadOnlyFields:b runServerSuiteScriptAndTriggerWorkflows:b
SearchPreferences: bodyFieldsOnly:b returnSearchColumns:b pageSize:i
WriteResponse: @status!:Status baseRef:BaseRef
WriteResponseList: @status:Status writeResponse*!:WriteResponse
ReadResponse: @status!:Status record:Record
ReadResponseList: @status:Status readResponse*:ReadResponse
AddRequest: record!:Record
AddResponse: writeResponse!:WriteResponse
AddListRequest: record*!:Record
AddListResponse: writeResponseList!:WriteResponseList
UpdateRequest: record!:Record
UpdateResponse: writeResponse!:WriteResponse
UpdateListRequest: record*!:Record
UpdateListResponse: writeResponseList!:WriteResponseList
UpsertRequest: record!:Record
UpsertResponse: writeResponse!:WriteResponse
UpsertListRequest: record*!:Record
UpsertListResponse: writeResponseList!:WriteResponseList
DeleteRequest: baseRef!:BaseRef deletionReason:DeletionReason
DeleteResponse: writeResponse!:WriteResponse
DeleteListRequest: baseRef*!:BaseRef deletionReason:DeletionReason
DeleteListResponse: writeResponseList!:WriteResponseList
GetRequest: baseRef!:BaseRef
GetResponse: readResponse!:ReadResponse
GetListRequest: baseRef*!:BaseRef
GetListResponse: readResponseList!:ReadResponseList
GetAllRequest: record!:GetAllRecord
GetAllResponse: @getAllResult!:GetAllResult
SearchRequest: searchRecord!:SearchRecord
SearchResponse: @searchResult!:SearchResult
SearchMoreWithIdRequest: searchId!:s pageIndex!:i
SearchMoreWithIdResponse: @searchResult!:SearchResult
GetDeletedRequest: getDeletedFilter!:GetDeletedFilter pageIndex!:i
GetDeletedResponse: @getDeletedResult!:GetDeletedResult
InitializeRequest: initializeRecord!:InitializeRecord
InitializeResponse: readResponse!:ReadResponse
InitializeListRequest: initializeRecord*!:InitializeRecord
InitializeListResponse: readResponseList!:ReadResponseList
GetSelectValueRequest: fieldDescription!:GetSelectValueFieldDescription pageIndex!:i
GetSelectValueResponse: @getSelectValueResult!:GetSelectValueResult
GetServerTimeRequest:
GetServerTimeResponse: @getServerTimeResult!:GetServerTimeResult
GetDataCenterUrlsRequest: account!:s
GetDataCenterUrlsResponse: @getDataCenterUrlsResult!:GetDataCenterUrlsResult
GetAccountGovernanceInfoRequest:
GetAccountGovernanceInfoResponse: @getAccountGovernanceInfoResult!:GetAccountGovernanceInfoResult
GetIntegrationGovernanceInfoRequest:
GetIntegrationGovernanceInfoResponse: @getIntegrationGovernanceInfoResult!:GetIntegrationGovernanceInfoResult
"""
"""The bodies of requests and answers, and the headers."""
