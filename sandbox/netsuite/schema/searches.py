"""Types of searches (reference 3.3), in the notation of `shapes.py`; the criteria and columns this sandbox answers."""

COMMON = """
Address < Record: internalId:s country:Country attention:s addressee:s addrPhone:s addr1:s addr2:s addr3:s
    city:s state:s zip:s addrText:s override:b customFieldList:CF
TaxDetailsList[replaceAll:b=true]: taxDetails*:TaxDetails
TaxDetails: taxDetailsReference:s lineType:s lineName:s netAmount:d grossAmount:d taxType:R taxCode:R taxBasis:d
    taxRate:d taxAmount:d calcDetail:s
TransactionSearchBasic < SearchRecordBasic: account:qm amount:qd amountPaid:qd amountRemaining:qd anyLineItem:qm
    appliedToTransaction:qm applyingTransaction:qm approvalStatus:qe billable:qb billingStatus:qb
    billingTransaction:qm class:qm closed:qb createdFrom:qm currency:qm customForm:qm dateCreated:qt daysOpen:ql
    daysOverdue:ql department:qm dueDate:qt email:qs entity:qm exchangeRate:qd expectedReceiptDate:qt externalId:qm
    externalIdString:qs fulfillingTransaction:qm fxAmount:qd internalId:qm internalIdNumber:ql item:qm
    lastModifiedDate:qt lineUniqueKey:ql location:qm mainLine:qb mainName:qm matchBillToReceipt:qb memo:qs
    memoMain:qs nameText:qs netAmount:qd nextApprover:qm number:ql otherRefNum:qn paidTransaction:qm
    payingTransaction:qm paymentHold:qb posting:qb postingPeriod:R purchaseOrder:qm quantity:qd quantityBilled:qd
    quantityShipRecv:qd recordType:qs shipDate:qt shipping:qb shipRecvStatus:qb shipRecvStatusLine:qb source:qe
    status:qe subsidiary:qm taxLine:qb terms:qm toBePrinted:qb totalAmount:qd tranDate:qt tranId:qs
    transactionLineType:qe transactionNumber:qs type:qe unit:qm vendType:qm voided:qb
VendorSearchBasic < SearchRecordBasic: accountNumber:qs address:qs balance:qd category:qm city:qs comments:qs
    country:qe creditLimit:qd currency:qm dateCreated:qt email:qs emailTransactions:qb entityId:qs expenseAccount:qm
    externalId:qm externalIdString:qs fax:qs firstName:qs fxBalance:qd giveAccess:qb internalId:qm
    internalIdNumber:ql is1099Eligible:qb isInactive:qb isPerson:qb lastModifiedDate:qt lastName:qs middleName:qs
    payablesAccount:qm phone:qs phoneticName:qs salutation:qs state:qs subsidiary:qm taxIdNum:qs title:qs
    unbilledOrders:qd url:qs vatRegNumber:qs zipCode:qs
CustomerSearchBasic < SearchRecordBasic: accountNumber:qs category:qm comments:qs companyName:qs currency:qm
    dateCreated:qt email:qs entityId:qs externalId:qm externalIdString:qs firstName:qs internalId:qm
    internalIdNumber:ql isInactive:qb isPerson:qb lastModifiedDate:qt lastName:qs parent:qm phone:qs subsidiary:qm
EmployeeSearchBasic < SearchRecordBasic: class:qm comments:qs dateCreated:qt department:qm email:qs entityId:qs
    externalId:qm externalIdString:qs firstName:qs internalId:qm internalIdNumber:ql isInactive:qb
    lastModifiedDate:qt lastName:qs location:qm phone:qs subsidiary:qm supervisor:qm title:qs
JobSearchBasic < SearchRecordBasic: accountNumber:qs category:qm comments:qs customer:qm dateCreated:qt email:qs
    entityId:qs externalId:qm externalIdString:qs internalId:qm internalIdNumber:ql isInactive:qb
    lastModifiedDate:qt parent:qm phone:qs projectManager:qm startDate:qt subsidiary:qm type:qm
ItemSearchBasic < SearchRecordBasic: averageCost:qd class:qm cost:qd created:qt department:qm displayName:qs
    externalId:qm externalIdString:qs internalId:qm internalIdNumber:ql isDropShipItem:qb isFulfillable:qb
    isInactive:qb isTaxable:qb itemId:qs lastModifiedDate:qt location:qm manufacturer:qs matchBillToReceipt:qb
    mpn:qs parent:qm purchaseUnit:qm quantityAvailable:qd quantityOnHand:qd quantityOnOrder:qd saleUnit:qm
    stockUnit:qm subsidiary:qm subType:qe type:qe unitsType:qm upcCode:qs vendor:qm vendorCode:qs vendorName:qs
AccountSearchBasic < SearchRecordBasic: accountingContext:qm balance:qd cashFlowRateType:qe category1099Misc:qm
    description:qs displayName:qs externalId:qm externalIdString:qs generalRateType:qe internalId:qm
    internalIdNumber:ql isInactive:qb legalName:qs locale:qe localizedLegalName:qs localizedName:qs
    localizedNumber:qs name:qs number:qs parent:qm subsidiary:qm type:qe
DepartmentSearchBasic < SearchRecordBasic: externalId:qm externalIdString:qs internalId:qm internalIdNumber:ql
    isInactive:qb name:qs nameNoHierarchy:qs subsidiary:qm
LocationSearchBasic < SearchRecordBasic: address:qs country:qe externalId:qm externalIdString:qs internalId:qm
    internalIdNumber:ql isInactive:qb locationType:qe makeInventoryAvailable:qb name:qs nameNoHierarchy:qs
    subsidiary:qm tranprefix:qs
ClassificationSearchBasic < SearchRecordBasic: externalId:qm externalIdString:qs internalId:qm
    internalIdNumber:ql isInactive:qb name:qs nameNoHierarchy:qs subsidiary:qm
SubsidiarySearchBasic < SearchRecordBasic: country:qe currency:qm email:qs externalId:qm externalIdString:qs fax:qs
    internalId:qm internalIdNumber:ql isElimination:qb isInactive:qb legalName:qs name:qs nameNoHierarchy:qs
    state:qs tranPrefix:qs url:qs
TermSearchBasic < SearchRecordBasic: dateDriven:qb dayDiscountExpires:ql dayOfMonthNetDue:ql daysUntilExpiry:ql
    daysUntilNetDue:ql discountPercent:qd discountPercentDateDriven:qd dueNextMonthIfWithinDays:ql externalId:qm
    externalIdString:qs installment:qb internalId:qm internalIdNumber:ql isInactive:qb name:qs preferred:qb
    recurrenceCount:ql recurrenceFrequency:qe repeatEvery:ql splitEvenly:qb
UnitsTypeSearchBasic < SearchRecordBasic: abbreviation:qs baseUnit:qb conversionRate:qs externalId:qm
    externalIdString:qs internalId:qm internalIdNumber:ql isInActive:qb name:qs pluralAbbreviation:qs
    pluralName:qs unitName:qs
AccountingPeriodSearchBasic < SearchRecordBasic: allLocked:qb allowNonGlChanges:qb apLocked:qb arLocked:qb
    closed:qb closedOnDate:qt endDate:qt internalId:qm internalIdNumber:ql isAdjust:qb isInactive:qb
    isQuarter:qb isYear:qb parent:qm payrollLocked:qb periodName:qs startDate:qt
TransactionSearchRowBasic < SearchRowBasic: account*:cm amount*:cd amountPaid*:cd amountRemaining*:cd
    appliedToTransaction*:cm applyingTransaction*:cm approvalStatus*:ce billable*:cb billingTransaction*:cm
    class*:cm closed*:cb createdBy*:cm createdFrom*:cm currency*:cm dateCreated*:ct daysOpen*:cl daysOverdue*:cl
    department*:cm dueDate*:ct email*:cs entity*:cm exchangeRate*:cd expectedReceiptDate*:ct externalId*:cm
    fulfillingTransaction*:cm fxAmount*:cd internalId*:cm item*:cm lastModifiedDate*:ct line*:cl
    lineSequenceNumber*:cl lineUniqueKey*:cl location*:cm mainLine*:cb mainName*:cs matchBillToReceipt*:cb memo*:cs
    memoMain*:cs netAmount*:cd nextApprover*:cm otherRefNum*:cn paidTransaction*:cm payingTransaction*:cm
    paymentHold*:cb posting*:cb postingPeriod*:cm purchaseOrder*:cm quantity*:cd quantityBilled*:cd
    quantityShipRecv*:cd quantityUom*:cd rate*:cd recordType*:cs shipRecvStatusLine*:cb status*:ce subsidiary*:cm
    taxAmount*:cd taxLine*:cb taxTotal*:cd terms*:cm toBePrinted*:cb total*:cd tranDate*:ct tranId*:cs
    transactionLineType*:ce transactionNumber*:cs type*:ce unit*:cs
VendorSearchRowBasic < SearchRowBasic: accountNumber*:cs altEmail*:cs altName*:cs altPhone*:cs balance*:cd
    category*:cm city*:cs comments*:cs companyName*:cs country*:ce creditLimit*:cd currency*:cm dateCreated*:ct
    email*:cs emailTransactions*:cb entityId*:cs expenseAccount*:cm externalId*:cm fax*:cs firstName*:cs
    fxBalance*:cd giveAccess*:cb homePhone*:cs internalId*:cm is1099Eligible*:cb isInactive*:cb isPerson*:cb
    lastModifiedDate*:ct lastName*:cs middleName*:cs mobilePhone*:cs payablesAccount*:cm phone*:cs phoneticName*:cs
    printOnCheckAs*:cs salutation*:cs state*:cs subsidiary*:cm taxIdNum*:cs terms*:cm title*:cs unbilledOrders*:cd
    url*:cs vatRegNumber*:cs zipCode*:cs
ItemSearchRowBasic < SearchRowBasic: displayName*:cs externalId*:cm internalId*:cm isFulfillable*:cb
    isInactive*:cb itemId*:cs type*:ce unitsType*:cm
"""
"""Addresses, tax details, and the criteria and columns of each search."""

SALES = """
TransactionSearch < SearchRecord: basic:TransactionSearchBasic accountJoin:AccountSearchBasic
    accountingPeriodJoin:AccountingPeriodSearchBasic appliedToTransactionJoin:TransactionSearchBasic
    applyingTransactionJoin:TransactionSearchBasic billingTransactionJoin:TransactionSearchBasic
    classJoin:ClassificationSearchBasic createdFromJoin:TransactionSearchBasic departmentJoin:DepartmentSearchBasic
    fulfillingTransactionJoin:TransactionSearchBasic itemJoin:ItemSearchBasic locationJoin:LocationSearchBasic
    paidTransactionJoin:TransactionSearchBasic payingTransactionJoin:TransactionSearchBasic
    purchaseOrderJoin:TransactionSearchBasic subsidiaryJoin:SubsidiarySearchBasic vendorJoin:VendorSearchBasic
TransactionSearchAdvanced[savedSearchId:s savedSearchScriptId:s] < SearchRecord: criteria:TransactionSearch
    columns:TransactionSearchRow
TransactionSearchRow < SearchRow: basic:TransactionSearchRowBasic
"""
"""The containers of transaction searches, which live here for purchases, too."""
