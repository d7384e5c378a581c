"""Types of purchasing documents (reference 4), in the notation of `shapes.py`."""

PURCHASES = """
PurchaseOrder[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t nexus:R
    subsidiaryTaxRegNum:R taxRegOverride:b taxDetailsOverride:b customForm:R entity:R purchaseContract:R
    vatRegNum:s employee:R supervisorApproval:b tranDate:t tranId:s entityTaxRegNum:R taxPointDate:t
    createdFrom:R terms:R dueDate:t otherRefNum:s availableVendorCredit:d memo:s approvalStatus:R exchangeRate:d
    nextApprover:R source:s currencyName:s toBePrinted:b toBeEmailed:b email:s toBeFaxed:b fax:s message:s
    billingAddress:Address billAddressList:R currency:R shipTo:R subTotal:d taxTotal:d tax2Total:d
    shippingAddress:Address shipIsResidential:b shipAddressList:R fob:s shipDate:t shipMethod:R incoterm:R
    trackingNumbers:s linkedTrackingNumbers:s total:d class:R department:R location:R subsidiary:R
    intercoTransaction:R intercoStatus:IntercoStatus status:s orderStatus:PurchaseOrderOrderStatus
    itemList:PurchaseOrderItemList expenseList:PurchaseOrderExpenseList taxDetailsList:TaxDetailsList
    customFieldList:CF
PurchaseOrderItemList[replaceAll:b=true]: item*:PurchaseOrderItem
PurchaseOrderItem: item:R line:l quantityOnShipments:d vendorName:s quantityReceived:d quantityBilled:d
    quantityAvailable:d quantityOnHand:d taxCode:R taxRate1:d taxRate2:d quantity:d tax1Amt:d grossAmt:d units:R
    serialNumbers:s description:s purchaseContract:R rate:s amount:d options:CF taxAmount:d department:R class:R
    location:R landedCostCategory:R customer:R isBillable:b billVarianceStatus:TransactionBillVarianceStatus
    matchBillToReceipt:b expectedReceiptDate:t isClosed:b taxDetailsReference:s createdFrom:R assembly:R
    createOutsourcedWO:b productionEndDate:t billOfMaterialsRevision:R productionStartDate:t assemblyUnits:R
    billOfMaterials:R linkedOrderList:RL customFieldList:CF
PurchaseOrderExpenseList[replaceAll:b=true]: expense*:PurchaseOrderExpense
PurchaseOrderExpense: line:l category:R linkedOrderList:RL account:R amount:d taxAmount:d memo:s department:R
    class:R location:R customer:R isClosed:b isBillable:b createdFrom:R taxCode:R taxRate1:d taxRate2:d
    tax1Amt:d grossAmt:d taxDetailsReference:s customFieldList:CF
ItemReceipt[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t customForm:R exchangeRate:d
    entity:R currencyName:s subsidiary:R createdFrom:R tranDate:t partner:R postingPeriod:R tranId:s
    inboundShipment:R memo:s itemFulfillment:R currency:R landedCostMethod:LandedCostMethod landedCostPerLine:b
    itemList:ItemReceiptItemList expenseList:ItemReceiptExpenseList customFieldList:CF
ItemReceiptItemList[replaceAll:b=true]: item*:ItemReceiptItem
ItemReceiptItem: itemReceive:b jobName:s item:R orderLine:l line:l itemName:s description:s location:R onHand:d
    quantityRemaining:d quantity:d unitsDisplay:s unitCostOverride:d serialNumbers:s binNumbers:s
    expirationDate:t rate:s currency:s restock:b billVarianceStatus:TransactionBillVarianceStatus
    isDropShipment:b options:CF customFieldList:CF
ItemReceiptExpenseList[replaceAll:b=true]: expense*:ItemReceiptExpense
ItemReceiptExpense: markReceived:b orderLine:l line:l account:s memo:s amount:d customFieldList:CF
VendorBill[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t nexus:R subsidiaryTaxRegNum:R
    taxRegOverride:b taxDetailsOverride:b customForm:R billAddressList:R account:R entity:R subsidiary:R
    approvalStatus:R nextApprover:R vatRegNum:s postingPeriod:R tranDate:t currencyName:s billingAddress:Address
    exchangeRate:d entityTaxRegNum:R taxPointDate:t terms:R dueDate:t discountDate:t tranId:s userTotal:d
    discountAmount:d taxTotal:d paymentHold:b memo:s tax2Total:d creditLimit:d availableVendorCredit:d
    currency:R class:R department:R location:R status:s landedCostMethod:LandedCostMethod landedCostPerLine:b
    transactionNumber:s expenseList:VendorBillExpenseList itemList:VendorBillItemList purchaseOrderList:RL
    taxDetailsList:TaxDetailsList overrideInstallments:b customFieldList:CF
VendorBillItemList[replaceAll:b=true]: item*:VendorBillItem
VendorBillItem: item:R vendorName:s line:l orderDoc:l orderLine:l quantity:d units:R description:s
    serialNumbers:s binNumbers:s expirationDate:t taxCode:R taxRate1:d taxRate2:d grossAmt:d tax1Amt:d rate:s
    amount:d options:CF department:R class:R location:R customer:R landedCostCategory:R isBillable:b
    billVarianceStatus:TransactionBillVarianceStatus billreceiptsList:RL amortizationSched:R amortizStartDate:t
    amortizationEndDate:t amortizationResidual:s taxAmount:d taxDetailsReference:s customFieldList:CF
VendorBillExpenseList[replaceAll:b=true]: expense*:VendorBillExpense
VendorBillExpense: orderDoc:l orderLine:l line:l category:R account:R amount:d taxAmount:d tax1Amt:d memo:s
    grossAmt:d taxDetailsReference:s department:R class:R location:R customer:R isBillable:b projectTask:R
    taxCode:R taxRate1:d taxRate2:d amortizationSched:R amortizStartDate:t amortizationEndDate:t
    amortizationResidual:s customFieldList:CF
VendorPayment[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t customForm:R account:R
    balance:d apAcct:R entity:R tranDate:t voidJournal:R postingPeriod:R currencyName:s exchangeRate:d toAch:b
    toBePrinted:b printVoucher:b tranId:s total:d currency:R department:R memo:s subsidiary:R class:R location:R
    status:s transactionNumber:s applyList:VendorPaymentApplyList creditList:VendorPaymentCreditList billPay:b
    availableBalance:d isInTransitPayment:b approvalStatus:R nextApprover:R payeeAddressList:R
    payeeAddress:Address customFieldList:CF
VendorPaymentApplyList[replaceAll:b=true]: apply*:VendorPaymentApply
VendorPaymentApply: apply:b doc:l line:l job:s applyDate:t type:s refNum:s total:d due:d currency:s discDate:t
    discAmt:d disc:d amount:d
VendorPaymentCreditList[replaceAll:b=true]: credit*:VendorPaymentCredit
VendorPaymentCredit: apply:b doc:l line:l creditDate:t type:s refNum:s appliedTo:s total:d due:d currency:s
    amount:d
VendorCredit[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t nexus:R subsidiaryTaxRegNum:R
    taxRegOverride:b taxDetailsOverride:b customForm:R account:R unApplied:d billAddressList:R autoApply:b
    applied:d transactionNumber:s tranId:s createdFrom:R entity:R total:d userTotal:d currency:R currencyName:s
    billingAddress:Address tranDate:t exchangeRate:d entityTaxRegNum:R taxPointDate:t userTaxTotal:d
    postingPeriod:R memo:s department:R class:R location:R subsidiary:R expenseList:VendorCreditExpenseList
    itemList:VendorCreditItemList applyList:VendorCreditApplyList taxDetailsList:TaxDetailsList
    customFieldList:CF
VendorCreditItemList[replaceAll:b=true]: item*:VendorCreditItem
VendorCreditItem: item:R vendorName:s line:l orderLine:l quantity:d units:R serialNumbersList:RL description:s
    rate:s amount:d binNumbers:s taxCode:R taxRate1:d taxRate2:d grossAmt:d tax1Amt:d options:CF department:R
    class:R location:R customer:R isBillable:b amortizationSched:R amortizStartDate:t amortizationEndDate:t
    amortizationResidual:s taxAmount:d taxDetailsReference:s customFieldList:CF
VendorCreditExpenseList[replaceAll:b=true]: expense*:VendorCreditExpense
VendorCreditExpense: orderLine:l line:l category:R account:R amount:d taxAmount:d taxCode:R taxRate1:d
    taxRate2:d tax1Amt:d grossAmt:d taxDetailsReference:s memo:s department:R class:R location:R customer:R
    isBillable:b amortizationSched:R amortizStartDate:t amortizationEndDate:t amortizationResidual:s
    customFieldList:CF
VendorCreditApplyList[replaceAll:b=true]: apply*:VendorCreditApply
VendorReturnAuthorization[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t nexus:R
    subsidiaryTaxRegNum:R taxRegOverride:b taxDetailsOverride:b customForm:R tranId:s createdFrom:R entity:R
    orderStatus:VendorReturnAuthorizationOrderStatus tranDate:t userTotal:d currency:R currencyName:s
    billingAddress:Address billAddressList:R memo:s exchangeRate:d entityTaxRegNum:R taxPointDate:t userTaxTotal:d
    department:R class:R location:R subsidiary:R intercoTransaction:R intercoStatus:IntercoStatus
    expenseList:VendorReturnAuthorizationExpenseList itemList:VendorReturnAuthorizationItemList
    taxDetailsList:TaxDetailsList customFieldList:CF
VendorReturnAuthorizationItemList[replaceAll:b=true]: item*:VendorReturnAuthorizationItem
VendorReturnAuthorizationItem: item:R vendorName:s line:l orderLine:l quantity:d units:R serialNumbersList:RL
    description:s binNumbers:s rate:s amount:d taxCode:R taxRate1:d taxRate2:d grossAmt:d tax1Amt:d options:CF
    department:R class:R location:R customer:R isBillable:b isClosed:b amortizationSched:R isDropShipment:b
    taxAmount:d taxDetailsReference:s amortizStartDate:t amortizationEndDate:t amortizationResidual:s
    customFieldList:CF
VendorReturnAuthorizationExpenseList[replaceAll:b=true]: expense*:VendorReturnAuthorizationExpense
VendorReturnAuthorizationExpense: orderLine:l line:l category:R account:R amount:d taxAmount:d taxCode:R
    taxRate1:d taxRate2:d tax1Amt:d grossAmt:d taxDetailsReference:s memo:s department:R class:R location:R
    customer:R isBillable:b amortizationSched:R amortizStartDate:t amortizationEndDate:t amortizationResidual:s
    customFieldList:CF
VendorCreditApply: apply:b applyDate:t doc:l line:l type:s refNum:s total:d due:d currency:s amount:d
"""
"""Purchase orders, item receipts, vendor bills, return authorizations, credits and payments."""

FULFILMENTS = """
ItemFulfillment[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t customForm:R postingPeriod:R
    entity:R createdFrom:R requestedBy:R partner:R pickedDate:t packedDate:t shippedDate:t
    shipStatus:ItemFulfillmentShipStatus tranDate:t tranId:s shipMethod:R memo:s transferLocation:R
    itemList:ItemFulfillmentItemList customFieldList:CF
ItemFulfillmentItemList[replaceAll:b=true]: item*:ItemFulfillmentItem
ItemFulfillmentItem: jobName:s itemReceive:b itemName:s description:s department:R class:R location:R onHand:d
    quantity:d unitsDisplay:s binNumbers:s serialNumbers:s poNum:s item:R orderLine:l quantityRemaining:d
    options:CF itemIsFulfilled:b customFieldList:CF
"""
"""Item fulfilments, in the namespace of sales: goods that leave, here back to the vendor."""
